import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport

/// A table with small files, of which a clustering makes full ones.
enum SmallFileTable {
  static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("number", .int64), Field("other", .int64),
  ])

  static func rows(_ ids: [Int], part: String, _ number: Int64 = 0) throws -> RecordBatch {
    try batch([
      "id": column(.string) { for id in ids { try $0.append("k\(id)") } },
      "part": Column(repeating: part, count: ids.count),
      "number": column(.int64) { for id in ids { $0.append(number == 0 ? Int64(id * 7 % 101) : number) } },
      "other": column(.int64) { for id in ids { $0.append(Int64(id * 13 % 97)) } },
    ])
  }

  /// A table with so many small files in each of two partitions.
  ///
  /// - Parameter options: Lines of the table's properties, once the files are there.
  static func filled(
    _ files: Int, rows count: Int = 3, storage: any Storage = InMemoryStorage(), options lines: String = ""
  ) async throws -> SmallTable {
    var options = TableOptions()
    // Rows of a later commit go into no file of an earlier one.
    options.tarn.smallFileLimit = 0
    let small = try await SmallTable(
      schema, partitionedBy: ["part"], orderedBy: "number", options: options, storage: storage)
    for file in 0..<files {
      let ids = Array(file * count..<(file + 1) * count)
      for part in ["a", "b"] { try await small.table.upsert(try rows(ids, part: part)) }
    }
    try await small.appendProperties("tarn.small.file.limit.bytes=100000000\n" + lines)
    return small
  }

  static func reopened(_ small: SmallTable, _ storage: (any Storage)? = nil) async throws -> Table {
    try await Table.open(
      at: .storage(storage ?? small.storage, name: "memory/small"), settings: small.table.settings)
  }

  /// All rows with their meta columns but the name of the file, sorted.
  static func lines(_ snapshot: Snapshot) async throws -> [String] {
    var lines: [String] = []
    let names = [
      "_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path", "id",
      "part",
    ]
    for try await batch in try snapshot.select(names + ["number", "other"]) {
      let texts = names.compactMap { batch[$0]?.strings }
      for row in 0..<batch.count {
        lines.append(texts.map { $0.string(row) }.joined(separator: " "))
      }
    }
    return lines.sorted()
  }

  /// The values of a column in the order in which a file has them.
  static func numbers(_ table: Table, _ name: String, part: String) async throws -> [Int64] {
    var numbers: [Int64] = []
    for try await batch in try await table.snapshot().where(.column("part") == .string(part)).select(name) {
      guard case .int64(let values)? = batch[name]?.values else { continue }
      numbers += values
    }
    return numbers
  }
}
