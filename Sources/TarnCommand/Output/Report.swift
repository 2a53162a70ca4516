import Tarn
import TarnColumns
import TarnTimeline

/// Numbers for people.
enum Readable {
  /// A number of bytes, such as `3.4 MB`.
  static func bytes(_ count: Int) -> String {
    guard count >= 1_000 else { return "\(count) B" }
    var tenths = count / 100 + (count % 100 >= 50 ? 1 : 0)
    for unit in ["kB", "MB", "GB"] {
      if tenths < 10_000 { return "\(tenths / 10).\(tenths % 10) \(unit)" }
      tenths = (tenths + 500) / 1_000
    }
    return "\(tenths / 10).\(tenths % 10) TB"
  }

  /// A time in seconds, such as `0.52 s`.
  static func seconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let hundredths = max(0, seconds * 100 + (attoseconds + 5_000_000_000_000_000) / 10_000_000_000_000_000)
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) s"
  }
}

extension CommitReport {
  /// The line that a write ends with.
  ///
  /// - Parameter deadLetters: Number and bytes of records that were put aside.
  func line(_ verb: String, _ table: Table, deadLetters: (count: Int, bytes: Int) = (0, 0)) -> String {
    var parts = [
      "\(inserted) inserted", "\(updated) updated", "\(deleted) deleted", "\(stale) stale",
      "\(duplicates) duplicate",
    ]
    if superseded > 0 { parts.append("\(superseded) superseded within the batch") }
    if notFound > 0 { parts.append("\(notFound) not found") }
    if deadLetters.bytes > 0 {
      parts.append("\(deadLetters.count) to the dead letters (\(Readable.bytes(deadLetters.bytes)))")
    }
    if replaced > 0 { parts.append("\(replaced) \(replaced == 1 ? "file" : "files") replaced") }
    parts.append("\(files) \(files == 1 ? "file" : "files")")
    parts.append(Readable.bytes(bytesWritten))
    parts.append(Readable.seconds(duration))
    parts.append(instant.map { "instant \($0.text)" } ?? "nothing to commit")
    let line = "\(verb) \(table.properties.name): " + parts.joined(separator: ", ")
    let told = warnings.map { "\n  \($0)" }.joined()
    return (instant == nil ? line : "\(line)\n\(effort)") + traffic + (instant == nil ? "" : told)
  }

  /// The line that tells of requests, where the storage counts them.
  private var traffic: String {
    guard requests > 0 else { return "" }
    return "\n  \(requests) \(requests == 1 ? "request" : "requests"): \(Readable.bytes(bytesSent)) sent, "
      + "\(Readable.bytes(bytesReceived)) received"
  }

  /// The line that tells what a commit took.
  private var effort: String {
    let pages =
      "pages: \(pagesCopied) copied (\(Readable.bytes(bytesCopied))), "
      + "\(pagesEncoded) encoded (\(Readable.bytes(bytesEncoded)))"
    return "  \(pages), \(Readable.bytes(bytesRead)) read; \(splicedFiles) of \(files) files spliced; "
      + "looking up \(Readable.seconds(lookUpDuration)), writing \(Readable.seconds(writeDuration))"
  }
}

/// Rows that a command makes itself, to be written as those of a table.
struct ReportRows {
  /// A value of a row.
  enum Cell {
    case text(String?)
    case number(Int64?)
  }

  private let schema: Schema
  private var builders: [ColumnBuilder]

  init(_ columns: KeyValuePairs<String, DataType>) {
    schema = Schema(columns.map { Field($0.key, $0.value) })
    builders = columns.map { ColumnBuilder($0.value) }
  }

  /// Adds a row with a cell a column.
  mutating func append(_ cells: [Cell]) throws {
    for (index, cell) in cells.enumerated() {
      switch cell {
      case .text(let text?): try builders[index].append(text)
      case .number(let number?): builders[index].append(number)
      case .text(nil), .number(nil): builders[index].appendNulls()
      }
    }
  }

  consuming func batch() throws -> RecordBatch {
    try RecordBatch(schema: schema, columns: builders.map { $0.finish() })
  }
}
