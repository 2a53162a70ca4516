public import Tarn
public import TarnCDC
import TarnColumns
public import TarnStorage
import TarnTimeline

/// Commits the change records of a stream to a table, batch by batch, as the function of an event source mapping.
///
/// ```swift
/// let handler = StreamHandler(table)
/// let answer = try await handler.handle(event)   // an event of Kinesis or of DynamoDB Streams
/// print(answer.failedSequenceNumber ?? "all taken")
/// ```
///
/// The records of one event are one commit. INSERT and MODIFY upsert, REMOVE deletes, a key is unique over the whole
/// table, and attributes without column get one, as with `tarn ingest`. Where the commit fails, nothing was written, and the
/// answer names the first record: Lambda hands all of them over again. Records that come twice change nothing where the
/// table has an ordering column.
///
/// A value is `Sendable`, and of as much use for one event as for many one after the other, as a function's process gets
/// them.
public struct StreamHandler: Sendable {
  /// What becomes of records that cannot be taken: no change records, or with values that the table does not hold.
  public enum BadRecords: Sendable {
    /// The records before the first of them are committed, and it is answered as failed. Lambda hands it over again
    /// until the mapping's retries or its age end, and then to the mapping's destination for failures, if it has one.
    case fail
    /// They are written under a folder, the others are committed, and none is answered as failed.
    ///
    /// Each event has one file, of JSON lines as ``RejectedRecord/jsonLine()`` makes them, whose name is the first record's
    /// sequence number: an event that comes again replaces it.
    case deadLetters(any Storage, folder: String)
  }

  /// The table.
  public let table: Table
  /// What becomes of records that cannot be taken.
  public var badRecords = BadRecords.fail
  /// The DynamoDB table whose records are taken, by its name.
  ///
  /// Others are passed over. Without it, records of another table than the event's first cannot be taken.
  public var dynamoDBTable: String?
  /// How the records are written; nil where each tells that by its members.
  public var shape: ChangeShape?
  /// Whether columns of numbers get types that hold more where values need them.
  public var widens = false

  /// Makes a handler for a table that is there.
  public init(_ table: Table) { self.table = table }

  /// Commits the records of an event.
  ///
  /// - Parameter event: The event, as JSON.
  /// - Returns: The answer. Errors of the table and of the storage are in it, since they are the answer's first record's.
  /// - Throws: `ChangeError` with `event` where the bytes are no event of a stream.
  public func handle(_ event: [UInt8]) async throws(ChangeError) -> StreamAnswer {
    let elements = try StreamEvent(event.span.bytes).elements
    guard let first = elements.first else { return StreamAnswer() }
    do {
      return try await commit(event, elements)
    } catch {
      var answer = StreamAnswer()
      (answer.failedSequenceNumber, answer.failure) = (first.sequenceNumber, error)
      return answer
    }
  }

  private func commit(_ event: [UInt8], _ elements: [StreamEvent.Element]) async throws -> StreamAnswer {
    var places = Array(elements.indices)
    var answer = StreamAnswer()
    while true {
      let batch = try await read(event, elements, places)
      var rejected = batch.rejected
      if let changes = batch.changes {
        answer.counts = batch.counts
        guard changes.count > 0 else { return answer }
        let refused = try await write(changes, batch.owners, &answer)
        guard !refused.isEmpty else { return answer }
        for row in refused {
          let place = batch.elements[row.row]
          rejected[place] = rejected[place] ?? .refused(why: row.reason)
        }
      }
      try await leave(rejected, event, elements, &places, &answer)
      guard !places.isEmpty else {
        answer.counts = ChangeCounts()
        return answer
      }
    }
  }

  /// Commits rows.
  ///
  /// - Returns: The rows that the table does not hold, for which nothing was written.
  private func write(
    _ changes: ChangeBatch, _ owners: ColumnOwners, _ answer: inout StreamAnswer
  ) async throws(TableError) -> [RefusedRow] {
    let failure: TableError
    do {
      answer.commit = try await table.remembering(owners).apply(changes, scope: .table)
      return []
    } catch {
      failure = error
    }
    guard failure.code == .badRow else { throw failure }
    let refused = try await table.refusedRows(in: changes)
    guard !refused.isEmpty else { throw failure }
    return refused
  }

  private func read(
    _ event: [UInt8], _ elements: [StreamEvent.Element], _ places: [Int]
  ) async throws -> StreamBatch {
    let schema = try await table.schema()
    let properties = table.properties
    let (key, partition) = (properties.recordKeyFields, properties.partitionFields)
    let columns =
      widens
      ? GrowingColumns(GrowingColumns.parsed(schema), widening: schema, texts: key + partition)
      : GrowingColumns(schema)
    return try StreamBatch(
      event, elements, places, columns: columns, owners: try properties.columnOwners()
    ) { (columns, owners) throws(ChangeError) in
      try ChangeBatchBuilder(
        schema: columns.schema, keyFields: key, partitionFields: partition,
        orderingField: properties.orderingField, owners: owners, table: dynamoDBTable,
        widening: columns.widening, shape: shape)
    }
  }

  /// Takes records that cannot be taken out of those that are read.
  private func leave(
    _ rejected: [Int: RejectionReason], _ event: [UInt8], _ elements: [StreamEvent.Element],
    _ places: inout [Int], _ answer: inout StreamAnswer
  ) async throws {
    switch badRecords {
    case .fail:
      guard let first = rejected.min(by: { $0.key < $1.key }) else { return }
      places.removeAll { $0 >= first.key }
      (answer.failedSequenceNumber, answer.failure) = (elements[first.key].sequenceNumber, first.value)
    case .deadLetters(let storage, let folder):
      places.removeAll { rejected[$0] != nil }
      for (place, reason) in rejected.sorted(by: { $0.key < $1.key }) {
        let range = elements[place].range
        answer.deadLetters.append(
          RejectedRecord(
            source: "event", line: 1, offset: range.lowerBound, reason: reason, bytes: Array(event[range]),
            number: place + 1))
      }
      let path = "\(folder.isEmpty ? "" : folder + "/")\(elements[0].sequenceNumber).jsonl"
      _ = try await storage.put(answer.deadLetters.flatMap { $0.jsonLine() }, at: path, if: .always)
    }
  }
}
