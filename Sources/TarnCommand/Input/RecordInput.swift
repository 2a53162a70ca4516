import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage

/// Reads JSON records of files into a consumer, and minds those that cannot be taken.
struct RecordInput {
  let sources: [InputSource]
  let policy: ErrorPolicy
  /// How many records are enough.
  var limit = Int.max

  /// The files and folders as the user knows them.
  var names: String { sources.map { $0.prefix + $0.name }.joined(separator: ", ") }

  /// Reads everything.
  ///
  /// - Parameters:
  ///   - consumer: Takes the records.
  ///   - letters: Takes those that cannot be taken, where the policy is to keep them.
  ///   - full: Called whenever the consumer has as much as fits its columns.
  func read<Consumer: RecordConsumer>(
    into consumer: inout Consumer, _ letters: inout DeadLetters,
    full: (inout Consumer) throws -> Void = { _ in }
  ) async throws {
    var tables: Set<String> = []
    for source in sources where !consumer.isFull(limit: limit) {
      try await read(source, into: &consumer, full) { record throws(ChangeError) in
        if case .otherTable(let name, let expected) = record.reason {
          tables.formUnion([name, expected])
          return
        }
        guard case .deadLetter = policy else { throw .rejected(record) }
        letters.append(record)
      }
    }
    guard tables.isEmpty else {
      throw CommandError(
        "\(names): the records are of several DynamoDB tables, \(tables.sorted().joined(separator: ", ")): "
          + "choose one with --table NAME")
    }
  }

  /// Says which files of the folders are not read.
  func sayLeft() async throws {
    for source in sources where source.name.isEmpty {
      let left = try await source.located { try await ChangeSource.list(in: source.storage, under: "").left }
      guard !left.isEmpty else { continue }
      let shown = left.prefix(10).joined(separator: ", ")
      let more = left.count > 10 ? " and \(left.count - 10) more" : ""
      StandardError.note(
        "\(source.prefix): passed over, being hidden, markers or Parquet files: \(shown)\(more)")
    }
  }

  /// Reads everything once more, for the records of rows that the table refuses.
  ///
  /// - Parameters:
  ///   - refused: The reasons, by the rows' positions.
  ///   - consumer: What made the rows, as it was at the beginning.
  ///   - letters: Takes the records.
  ///   - full: Called whenever the consumer has as much as fits its columns.
  /// - Returns: The rows of these records, ascending: a record may have several, which all go.
  /// - Throws: ``CommandError`` where the records are no longer those of so many rows.
  func refuse<Consumer: RowConsumer>(
    _ refused: [Int: String], of count: Int, by consumer: Consumer, _ letters: inout DeadLetters,
    full: (inout Consumer) throws -> Void
  ) async throws -> [Int] {
    var finder = RefusalFinder(consumer, refused)
    for source in sources {
      try await read(source, into: &finder, { try full(&$0.base) }) { record throws(ChangeError) in
        guard case .refused = record.reason else { return }
        guard case .deadLetter = policy else { throw .rejected(record) }
        letters.append(record)
      }
    }
    guard finder.rowCount == count else { throw CommandError("\(names): it changed while it was read") }
    return finder.found
  }

  /// The error that tells of a row which the table refuses, with its file and line; nil where it is not found again.
  func failure<Consumer: RowConsumer>(
    of row: Int, _ reason: String, of count: Int, by consumer: Consumer,
    full: (inout Consumer) throws -> Void
  ) async -> (any Error)? {
    var none = DeadLetters(isCounting: true)
    do {
      _ = try await refuse([row: reason], of: count, by: consumer, &none, full: full)
      return nil
    } catch { return error }
  }

  private func read<Consumer: RecordConsumer>(
    _ source: InputSource, into consumer: inout Consumer, _ full: (inout Consumer) throws -> Void,
    _ rejected: RecordReader.RejectionHandler
  ) async throws {
    do {
      let paths = try await ChangeSource.files(in: source.storage, under: source.name)
      var reader = RecordReader(storage: source.storage, paths: paths)
      while true {
        let more = try await reader.read(into: &consumer, limit: limit) { record throws(ChangeError) in
          var record = record
          record.source = source.prefix + record.source
          try rejected(record)
        }
        try full(&consumer)
        if !more || consumer.isFull(limit: limit) { return }
      }
    } catch let error as ChangeError {
      try await source.located { throw error }
    }
  }
}

/// Records that could not be taken, to be kept with the reason.
struct DeadLetters {
  private var lines: [UInt8] = []
  /// Number of records.
  private(set) var count = 0
  /// Bytes of the records.
  private(set) var bytes = 0
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
  func store(_ policy: ErrorPolicy, besides stored: inout StoredLetters) throws {
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
struct StoredLetters {
  /// Those of each time.
  private var stored: [[UInt8]] = []

  /// Letters without those that are stored.
  fileprivate func left(of letters: [UInt8]) -> [UInt8] {
    guard !stored.isEmpty else { return letters }
    var known: [ArraySlice<UInt8>: Int] = [:]
    for letters in stored {
      var counts: [ArraySlice<UInt8>: Int] = [:]
      for line in letters.split(separator: 0x0a) { counts[line, default: 0] += 1 }
      known.merge(counts) { max($0, $1) }
    }
    var left: [UInt8] = []
    for line in letters.split(separator: 0x0a) {
      if let count = known[line], count > 0 {
        known[line] = count - 1
      } else {
        left += line
        left.append(0x0a)
      }
    }
    return left
  }

  fileprivate mutating func note(_ letters: [UInt8]) { stored.append(letters) }
}
