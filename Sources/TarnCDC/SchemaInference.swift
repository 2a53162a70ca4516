public import TarnBytes
public import TarnColumns

/// Finds the columns and their types of records that it is shown.
///
/// From change records: strings; booleans; numbers as 64-bit integers where all are whole, else decimal(38,18),
/// else, with a warning, string; binary; lists, maps and sets as strings of JSON. Then the event columns.
/// From plain JSON: the same, but numbers with a fraction or an exponent are doubles.
/// Values of different types make a string, with a warning. Every column is nullable.
public struct SchemaInference: Sendable, RecordConsumer {
  /// What it is shown.
  public enum Source: Sendable, Hashable {
    /// DynamoDB change records.
    case changeRecords
    /// Rows as plain JSON objects.
    case rows
  }

  /// What it is shown.
  public let source: Source
  /// Number of records seen.
  public private(set) var count = 0
  /// Names of the attributes of the first record's Keys, in their order; empty for plain JSON.
  public private(set) var keyFields: [String] = []

  private var names = NameTable()
  private var types: [InferredType] = []
  private var record = ChangeRecord()
  private var values: [ScannedValue] = []

  /// Makes an inference that has seen nothing.
  public init(_ source: Source) { self.source = source }

  /// Whether `limit` records have been seen.
  public func isFull(limit: Int) -> Bool { count >= limit }

  /// Does nothing: a record that is rejected tells nothing of the columns.
  public mutating func noteRejected() {}

  /// Takes note of the record that comes next.
  ///
  /// - Throws: ``RejectionReason`` where it is no record.
  @_lifetime(scanner: copy scanner)
  public mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason) {
    switch source {
    case .changeRecords:
      try record.scan(&scanner)
      if let keys = record.keys {
        note(record.values, keys, scanner)
        if keyFields.isEmpty {
          keyFields = keys.map { position in
            let key = record.values[position]
            return scanner.text(key.name, isEscaped: key.nameIsEscaped)
          }
        }
      }
      if let newImage = record.newImage { note(record.values, newImage, scanner) }
    case .rows:
      values.removeAll(keepingCapacity: true)
      do { try scanner.scanMembers(into: &values) } catch { throw .notJSON(error) }
      note(values, values.indices, scanner)
    }
    count += 1
  }

  private mutating func note(
    _ values: [ScannedValue], _ range: Range<Int>, _ scanner: borrowing JSONScanner
  ) {
    var previous = -1
    for position in range {
      let value = values[position]
      let id: Int?
      if value.nameIsEscaped {
        id = names.number(of: scanner.unescaped(value.name).span.bytes, after: previous)
      } else {
        id = names.number(of: scanner.raw(value.name), after: previous)
      }
      guard let id else { continue }
      if id == types.count { types.append(InferredType()) }
      types[id].note(value, scanner)
      previous = id
    }
  }

  /// The columns in the order of their first appearance, and for change records the event columns behind them.
  public var schema: Schema {
    var fields = types.indices.map { Field(names.name($0), types[$0].type) }
    if source == .changeRecords {
      fields.removeAll { field in EventColumn.fields.contains { $0.name == field.name } }
      fields += EventColumn.fields
    }
    return Schema(fields)
  }

  /// What the user should know of the choices made, a line each.
  public var warnings: [String] {
    var lines = types.indices.compactMap { types[$0].warning(names.name($0)) }
    var held: [String: String] = [:]
    for id in types.indices {
      let name = names.name(id)
      if let other = held.updateValue(name, forKey: name.lowercased()) {
        lines.append(
          "columns \(other) and \(name) differ in case only, and engines that fold names see one column")
      }
    }
    if names.count >= NameTable.limit {
      lines.append("only the first \(NameTable.limit) names become columns")
    }
    return lines
  }
}
