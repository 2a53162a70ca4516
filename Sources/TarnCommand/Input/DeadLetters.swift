import TarnBytes
import TarnCDC
import TarnColumns

/// Records that could not be taken, to be kept with the reason.
struct DeadLetters {
  private var lines: [UInt8] = []
  /// Number of records.
  private(set) var count = 0
  /// Bytes of the records.
  private(set) var bytes = 0
  /// Number and bytes.
  var size: (count: Int, bytes: Int) { (count, bytes) }
  /// Whether they are counted only.
  private let isCounting: Bool

  /// - Parameter isCounting: Whether the records are counted and not kept.
  init(isCounting: Bool = false) { self.isCounting = isCounting }

  mutating func append(_ record: RejectedRecord) {
    if !isCounting { lines += record.jsonLine() }
    count += record.records
    bytes += record.bytes.count
  }

  /// Adds a row of a Parquet file, as the JSON that `tarn read` writes.
  ///
  /// Bytes that are no text stand in it as base64, in the columns that the letter's `base64` names.
  ///
  /// - Parameter position: How many rows of the file come before it.
  mutating func append(
    _ row: Int, of rows: RecordBatch, at position: Int, in source: String, _ reason: String
  ) {
    var single = rows.slice(row..<row + 1)
    var encoded: [String] = []
    for (index, field) in single.schema.fields.enumerated() where !single.columns[index].rowsNotUTF8.isEmpty {
      guard let plain = try? Column(type: .binary, values: single.columns[index].values) else { continue }
      single.columns[index] = plain
      single.schema.fields[index].type = .binary
      encoded.append(field.name)
    }
    var record: [UInt8] = []
    single.appendJSONLine(0, to: &record)
    record.removeLast()
    lines.append(text: "{\"source\":")
    lines.appendJSON(string: source)
    lines.append(text: ",\"row\":\(position + 1),\"reason\":")
    lines.appendJSON(string: reason)
    lines.append(text: ",\"record\":")
    lines.appendJSON(string: record.span.bytes)
    for (index, name) in encoded.enumerated() {
      lines.append(text: index == 0 ? ",\"base64\":[" : ",")
      lines.appendJSON(string: name)
    }
    lines.append(text: encoded.isEmpty ? "}\n" : "]}\n")
    count += 1
    bytes += record.count
  }

  /// Appends them to the policy's file; before the commit, so that no record can be in neither.
  ///
  /// - Parameter stored: Those that the command has appended before, since it began again.
  /// - Throws: ``CommandError`` where the file cannot be written.
  func store(_ policy: ErrorPolicy, besides stored: inout StoredDeadLetters) throws {
    guard bytes > 0, case .deadLetter(let path) = policy else { return }
    let failure = appendToFile(stored.left(of: lines), path)
    guard failure == 0 else {
      throw CommandError("\(path): the dead letters cannot be written: \(failureText(failure))")
    }
    stored.note(lines)
  }
}

/// The dead letters that a command has stored, each of which it stores once however often it begins again.
///
/// Which there are may change from one time to the next, as another process's table refuses other rows.
struct StoredDeadLetters {
  /// Those of each time.
  private var stored: [[UInt8]] = []

  /// Letters without those that are stored.
  fileprivate func left(of deadLetters: [UInt8]) -> [UInt8] {
    guard !stored.isEmpty else { return deadLetters }
    var known: [ArraySlice<UInt8>: Int] = [:]
    for deadLetters in stored {
      var counts: [ArraySlice<UInt8>: Int] = [:]
      for line in deadLetters.split(separator: 0x0a) { counts[line, default: 0] += 1 }
      known.merge(counts) { max($0, $1) }
    }
    var left: [UInt8] = []
    for line in deadLetters.split(separator: 0x0a) {
      if let count = known[line], count > 0 {
        known[line] = count - 1
      } else {
        left += line
        left.append(0x0a)
      }
    }
    return left
  }

  fileprivate mutating func note(_ deadLetters: [UInt8]) { stored.append(deadLetters) }
}
