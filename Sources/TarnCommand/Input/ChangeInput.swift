import Tarn
import TarnCDC
import TarnColumns

/// The changes of `--changes`, as one batch.
struct ChangeInput {
  private let input: RecordInput
  private let zone: ZoneConversion?
  /// Records that could not be taken.
  private(set) var letters = DeadLetters()
  /// Makes the rows, for reading the records again.
  private var builder: ChangeBatchBuilder?

  init(_ arguments: Arguments) throws {
    input = RecordInput(
      sources: try arguments.all(Options.changes).map { try InputSource.any($0) },
      policy: arguments[Options.onError] ?? .fail)
    zone = arguments[Options.zone]
  }

  /// What the records themselves say of their columns.
  ///
  /// - Parameter preferred: Columns that must be called as their attributes.
  func inferred(preferred: [String]) async throws -> (schema: Schema, key: [String]) {
    var inference = SchemaInference(.changeRecords, preferred: preferred)
    var ignored = DeadLetters()
    try await input.read(into: &inference, &ignored)
    guard inference.count > 0 else {
      throw CommandError(
        "\(input.names): no change records are there, from which columns could be inferred (--schema gives them)"
      )
    }
    for warning in inference.warnings { StandardError.note(warning) }
    return (inference.schema, inference.keyFields)
  }

  /// Reads the changes; attributes without column make new ones, for which the records are read again.
  mutating func changes(_ schema: Schema, key: [String], partition: [String]) async throws -> ChangeBatch {
    var schema = schema
    while true {
      var builder: ChangeBatchBuilder
      do {
        builder = try ChangeBatchBuilder(
          schema: schema, keyFields: key, partitionFields: partition, utcOffset: zone?.offset)
      } catch {
        throw CommandError(error.description)
      }
      letters = DeadLetters()
      self.builder = builder
      var batches: [ChangeBatch] = []
      try await input.read(into: &builder, &letters) { batches.append(try $0.finish()) }
      guard !builder.newFields.isEmpty else {
        if zone == nil { ZoneConversion.sayUTC(builder.zonelessColumns) }
        return try Self.joined(batches, schema)
      }
      schema = NewColumns.added(builder.newFields, to: schema, saying: true)
    }
  }

  /// The changes without those that the table refuses, whose records go to the dead letters where these are wanted.
  mutating func taken(_ changes: ChangeBatch, by table: Table) async throws -> ChangeBatch {
    guard case .deadLetter = input.policy, let builder else { return changes }
    let refused = try await table.refusedRows(in: changes)
    guard !refused.isEmpty else { return changes }
    let left = try await input.refuse(
      Dictionary(refused.map { ($0.row, $0.reason) }, uniquingKeysWith: { first, _ in first }),
      of: changes.count, by: builder, &letters
    ) { _ = try $0.finish() }
    return try changes.without(left)
  }

  /// Stores the records that could not be taken.
  func storeLetters() throws { try letters.store(input.policy) }

  private static func joined(_ batches: [ChangeBatch], _ schema: Schema) throws -> ChangeBatch {
    if batches.count == 1, let only = batches.first { return only }
    var bits = Bitmap()
    for batch in batches {
      for row in 0..<batch.count { bits.append(batch.isDelete[row]) }
    }
    return try ChangeBatch(
      rows: try RecordBatch.concatenate(batches.map(\.rows), schema: schema), isDelete: bits)
  }
}
