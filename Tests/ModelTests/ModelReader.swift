import Tarn
import TarnColumns
import TarnTimeline

/// Reads random tables, and says where their rows are others than the model's.
struct ModelReader {
  let shape: ModelShape

  /// What is wrong with the rows that were read.
  struct Wrong: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
  }

  /// A snapshot's rows, its meta columns checked on the way.
  func rows(of snapshot: Snapshot) async throws -> [StoredRow] {
    var rows: [StoredRow] = []
    var sequences: Set<String> = []
    for try await batch in snapshot {
      for (index, row) in ModelRow.rows(of: batch).enumerated() {
        guard shape.options.populatesMetaColumns else {
          rows.append(StoredRow(row: row, instant: StoredRow.noInstant))
          continue
        }
        let text = { ModelRow.text($0, batch, index) }
        guard let instant = text("_hoodie_commit_time").flatMap({ Instant($0) }),
          text("_hoodie_record_key") == row.key, text("_hoodie_partition_path") == row.path
        else { throw Wrong("the meta columns of \(row) are wrong") }
        guard let sequence = text("_hoodie_commit_seqno"), sequences.insert(sequence).inserted else {
          throw Wrong("the sequence number of \(row) is null or not its own")
        }
        rows.append(StoredRow(row: row, instant: instant))
      }
    }
    return rows.sorted()
  }

  /// Compares a snapshot's rows with the model's.
  func compare(_ snapshot: Snapshot, _ expected: [StoredRow], _ what: String) async throws {
    let rows = try await rows(of: snapshot)
    // Without meta columns a table does not know which commit wrote a row.
    let expected = shape.options.populatesMetaColumns ? expected : expected.map(\.undated)
    guard rows != expected else { return }
    let extra = Set(rows).subtracting(expected).sorted().prefix(5)
    let missing = Set(expected).subtracting(rows).sorted().prefix(5)
    throw Wrong(
      "\(what) has \(rows.count) rows, expected \(expected.count); only there: \(extra); only expected: \(missing)"
    )
  }

  /// Compares what a write reports with what the model says of it.
  func compare(_ report: CommitReport, _ expected: CommitReport) throws {
    func counts(_ report: CommitReport) -> String {
      "inserted \(report.inserted), updated \(report.updated), deleted \(report.deleted), stale \(report.stale), "
        + "duplicates \(report.duplicates), superseded \(report.superseded), not found \(report.notFound)"
    }
    guard counts(report) != counts(expected) else { return }
    throw Wrong("the report says \(counts(report)); expected \(counts(expected))")
  }
}
