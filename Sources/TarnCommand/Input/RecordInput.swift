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
  ///   - deadLetters: Takes those that cannot be taken, where the policy is to keep them.
  ///   - full: Called whenever the consumer has as much as fits its columns.
  func read<Consumer: RecordConsumer>(
    into consumer: inout Consumer, _ deadLetters: inout DeadLetters,
    full: (inout Consumer) throws -> Void = { _ in }
  ) async throws {
    var tables: Set<String> = []
    for source in sources where !consumer.isFull(limit: limit) {
      try await read(source, into: &consumer, full) { record throws(ChangeError) in
        if record.reason.code == .otherTable {
          tables.formUnion(record.reason.names)
          return
        }
        guard case .deadLetter = policy else { throw .rejected(record) }
        deadLetters.append(record)
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
  ///   - deadLetters: Takes the records.
  ///   - full: Called whenever the consumer has as much as fits its columns.
  /// - Returns: The rows of these records, ascending: a record may have several, which all go.
  /// - Throws: ``CommandError`` where the records are no longer those of so many rows.
  func refuse<Consumer: RowBuilder>(
    _ refused: [Int: String], of count: Int, by consumer: Consumer, _ deadLetters: inout DeadLetters,
    full: (inout Consumer) throws -> Void
  ) async throws -> [Int] {
    var finder = consumer
    finder.refusals = RowRefusals(refused)
    for source in sources {
      try await read(source, into: &finder, full) { record throws(ChangeError) in
        guard record.reason.code == .refused else { return }
        guard case .deadLetter = policy else { throw .rejected(record) }
        deadLetters.append(record)
      }
    }
    guard let refusals = finder.refusals, refusals.rowCount == count else {
      throw CommandError("\(names): it changed while it was read")
    }
    return refusals.found
  }

  /// The error that tells of a row which the table refuses, with its file and line; nil where it is not found again.
  func failure<Consumer: RowBuilder>(
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
      var reader =
        consumer.shape == .changeRecord
        ? try await ChangeSource.reader(of: source.storage, under: source.name)
        : RecordReader(
          storage: source.storage, paths: try await ChangeSource.files(in: source.storage, under: source.name)
        )
      while true {
        let more = try await reader.read(to: &consumer, limit: limit) { record throws(ChangeError) in
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
