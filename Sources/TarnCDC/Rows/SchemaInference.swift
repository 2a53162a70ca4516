import TarnBytes
public import TarnColumns

/// Finds the columns and their types of records that it is shown.
///
/// From change records: strings; booleans; numbers as 64-bit integers where all are whole, else decimal(38,18),
/// else, with a warning, string; binary; lists, maps and sets as strings of JSON. Then the event columns.
/// From plain JSON: the same, but numbers with a fraction or an exponent are doubles.
/// Values of different types make a string of their JSON, with a warning, but in columns that are named beforehand; so do bytes in Keys, since keys of a table are text.
/// Every column is nullable, and what was null in all records is none yet. Names that no column can have, such as
/// `a-b`, become a column such as `a_b_1f0e2d3c`, with a warning; of names that differ in case only, one is kept, and
/// each other gets a column with digits behind it.
public struct SchemaInference: Sendable, ChangeConsumer {
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
  /// Numbers of the names of the first record's Keys.
  private var keys: [Int] = []
  private var names = NameTable()
  private var types: [InferredType] = []
  var scan: ChangeScan
  private var values: [ScannedValue] = []
  private var table: TableChoice
  /// Whether columns are of timestamps whose every value is a time in ISO 8601 with a zone, or a whole number that counts
  /// the same unit since 1970 as all others: seconds, milliseconds or microseconds of a time between 2000 and 2100.
  ///
  /// An identifier may happen to look like that, so that it is not done unless it is asked for. Columns of Keys are never.
  public var recognizesTimes = false

  /// Names that keep their columns where others differ from them in case only.
  private let preferred: Set<ExactText>

  /// Makes an inference that has seen nothing.
  ///
  /// - Parameters:
  ///   - preferred: Names that keep their columns where others differ from them in case only, beside those of Keys.
  ///   - table: The DynamoDB table whose change records count, by its name.
  ///   - shape: How the change records are written; nil where each tells that by its members.
  public init(
    _ source: Source, preferred: [String] = [], table: String? = nil, shape: ChangeShape? = nil
  ) {
    scan = ChangeScan(shape)
    self.source = source
    self.preferred = Set(preferred.map { ExactText($0) })
    self.table = TableChoice(table)
  }

  /// What it is shown.
  package var shape: RecordShape { source == .changeRecords ? .changeRecord : .object }

  /// Whether `limit` records have been seen.
  public func isFull(limit: Int) -> Bool { count >= limit }

  /// Does nothing: a record that is rejected tells nothing of the columns.
  package mutating func noteRejected() {}

  /// Takes note of the record that comes next.
  ///
  /// - Throws: ``RejectionReason`` where it is no record.
  @_lifetime(scanner: copy scanner)
  package mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason) {
    switch source {
    case .changeRecords: try takeNext(&scanner)
    case .rows:
      values.removeAll(keepingCapacity: true)
      do { try scanner.scanMembers(into: &values) } catch { throw .notJSON(BrokenJSON(error)) }
      _ = note(values, values.indices, scanner)
      count += 1
    }
  }

  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    guard try table.takes(scan.record, scanner) else { return }
    if let keys = scan.record.keys {
      let ids = note(scan.record.values, keys, scanner, wantsNumbers: self.keys.isEmpty)
      if self.keys.isEmpty { self.keys = ids }
    }
    if let newImage = scan.record.newImage { _ = note(scan.record.values, newImage, scanner) }
    count += 1
  }

  private mutating func note(
    _ values: [ScannedValue], _ range: Range<Int>, _ scanner: borrowing JSONScanner,
    wantsNumbers: Bool = false
  ) -> [Int] {
    var previous = -1
    var ids: [Int] = []
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
      types[id].note(value, scanner, recognizesTimes: recognizesTimes)
      if wantsNumbers { ids.append(id) }
      previous = id
    }
    return ids
  }

  /// The numbers of the names that become columns, these columns, and who owns them.
  private var named: (ids: [Int], columns: [String], owners: ColumnOwners) {
    let ids = types.indices.filter { types[$0].isKnown }
    let events = Schema(source == .changeRecords ? EventColumn.fields : [])
    var owners = ColumnOwners()
    let columns = ColumnName.columns(
      ids.map(names.name), source == .changeRecords ? .attributes : .members,
      preferred: preferred.union(keys.map { ExactText(names.name($0)) }), besides: events, &owners)
    for (id, column) in zip(ids, columns) {
      var kinds = types[id].kinds(in: type(id))
      // Texts that make keys and partitions stay as they are.
      if keys.contains(id) || preferred.contains(ExactText(names.name(id))) { kinds.remove(.json) }
      owners.note(kinds.names, of: column)
    }
    return (ids, columns, owners)
  }

  private func type(_ id: Int) -> DataType {
    guard keys.contains(id) else { return types[id].type }
    let type = types[id].plainType
    return type == .binary ? .string : type
  }

  /// The columns of the first record's Keys, in their order; empty for plain JSON.
  public var keyFields: [String] {
    let named = named
    return keys.compactMap { key in named.ids.firstIndex(of: key).map { named.columns[$0] } }
  }

  /// The names of the first record's Keys, in their order; empty for plain JSON.
  public var keyNames: [String] { keys.map(names.name) }

  /// Which names own which columns: what the new table must know.
  public var owners: ColumnOwners { named.owners }

  /// The columns in the order of their first appearance, and for change records the event columns behind them.
  public var schema: Schema {
    let named = named
    let fields = zip(named.columns, named.ids).map { Field($0, type($1)) }
    return Schema(source == .changeRecords ? fields + EventColumn.fields : fields)
  }

  /// The names that were null in all records, and make no column.
  public var untypedNames: [String] { types.indices.filter { !types[$0].isKnown }.map(names.name) }

  /// What the user should know of the choices made, a line each; of ``untypedNames``, ``UntypedNames/warning(_:)`` says
  /// it.
  public var warnings: [String] {
    let named = named
    var lines = zip(named.ids, named.columns).flatMap { id, column in
      [
        ColumnName.warning(names.name(id), column),
        keys.contains(id) ? nil : types[id].warning(names.name(id), column),
      ].compactMap { $0 }
    }
    for (id, column) in zip(named.ids, named.columns) where keys.contains(id) && types[id].type != type(id) {
      lines.append("key column \(column) becomes string: its bytes stand there as base64")
    }
    if names.count >= NameTable.limit {
      lines.append("only the first \(NameTable.limit) names become columns")
    }
    return lines
  }
}
