import TarnBytes
public import TarnColumns

/// Builds record batches from rows of plain JSON, such as the lines of a `.jsonl` file.
///
/// A member that is not there, or is null, is null. Decimals are exact, from numbers or strings; times are ISO 8601
/// text, since a number would not say its unit; binary is base64; `"NaN"`, `"Infinity"` and `"-Infinity"` are
/// floating-point numbers; arrays and objects go into string columns as they are written.
public struct RowBatchBuilder: Sendable, RowBuilder {
  /// What happens to a member without column.
  public enum UnknownMembers: Sendable, Hashable {
    /// Its row is rejected.
    case reject
    /// It is left out, and ``RowBatchBuilder/found`` tells of it.
    case leaveOut
  }

  /// Number of rows taken since the builder was made.
  public private(set) var taken = 0
  /// Number of rows rejected since the builder was made.
  public private(set) var rejected = 0

  /// In how many of the rows taken each column has a member, null or not; empty where that is not counted.
  public private(set) var memberCounts: [Int] = []

  private var assembler: RowAssembler
  private let unknown: UnknownMembers
  private let keyColumns: [Int]
  private var values: [ScannedValue] = []
  private var textBytes = 0
  /// The rows that a table refuses, where their records are looked for.
  package var refusals: RowRefusals?

  /// Makes a builder for the columns of a schema.
  ///
  /// - Parameters:
  ///   - schema: The columns, of any types but nested ones.
  ///   - keyFields: Columns that must have a value; a row without one is rejected.
  ///   - unknown: What happens to a member without column.
  ///   - owners: Which names own which columns of the table.
  ///   - placing: The columns that make partitions and order; see ``ColumnOwners/isComplete``.
  ///   - widening: The types of columns of whole numbers and decimals that get more digits where a value needs them:
  ///     the table's, or the ``FoundColumns/widerFields`` that were told before.
  ///   - utcOffset: The offset from UTC, in microseconds, when clocks show a time, given as microseconds since
  ///     1970: what makes instants of texts without zone. Without it they are taken as UTC.
  ///   - countsMembers: Whether ``memberCounts`` is wanted.
  ///   - keepsNewValues: Whether values without column, or with one that is too narrow, are kept for ``completed(_:)``.
  ///   - preferred: Names that keep their columns where others differ from them in case only.
  /// - Throws: ``ChangeError`` where the schema has a nested column, or lacks one that is named.
  public init(
    schema: Schema, keyFields: [String] = [], unknown: UnknownMembers = .reject,
    owners: ColumnOwners = ColumnOwners(), placing: [String] = [],
    widening: [String: DataType] = [:], utcOffset: (@Sendable (Int64) -> Int64)? = nil,
    countsMembers: Bool = false, keepsNewValues: Bool = false, preferred: [String] = []
  ) throws(ChangeError) {
    if countsMembers { memberCounts = [Int](repeating: 0, count: schema.fields.count) }
    var keys: [Int] = []
    for name in keyFields {
      guard let column = schema.index(of: name) else { throw .missingColumn(name: name) }
      keys.append(column)
    }
    keyColumns = keys
    assembler = try RowAssembler(
      schema, of: .members, owners: owners, roles: keyFields + placing, widening: widening,
      utcOffset: utcOffset, keepsNewValues: keepsNewValues, preferred: preferred)
    self.unknown = unknown
  }

  /// Number of rows in the present batch, rejected ones too.
  public var rowCount: Int { assembler.count }

  /// Whether the batch has at least `limit` rows, or as much text as fits a column.
  public func isFull(limit: Int) -> Bool { assembler.count >= limit || textBytes >= 1 << 30 }

  /// Takes note that a row was rejected.
  package mutating func noteRejected() { rejected += 1 }

  /// What the records so far have told of columns.
  public var found: FoundColumns { assembler.found }

  /// Takes the row that comes next.
  ///
  /// - Throws: ``RejectionReason`` where it is no JSON object, or its values do not fit the columns.
  @_lifetime(scanner: copy scanner)
  package mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason) {
    values.removeAll(keepingCapacity: true)
    let start = scanner.offset
    do { try scanner.scanMembers(into: &values) } catch { throw .notJSON(BrokenJSON(error)) }
    assembler.beginRow()
    let stranger = try assembler.assign(values, values.indices, scanner, isFirst: true)
    if unknown == .reject, let stranger {
      let value = values[stranger]
      throw .unknownMember(name: scanner.text(value.name, isEscaped: value.nameIsEscaped))
    }
    try assembler.checkKeys(keyColumns, values, scanner)
    try assembler.appendRow(values, scanner)
    for column in memberCounts.indices where assembler.assigned[column] >= 0 { memberCounts[column] += 1 }
    textBytes += scanner.offset - start
    taken += 1
    if refusals != nil { try refusals?.note(1) }
  }

  /// The batch of the rows so far, without those that were rejected; begins the next one.
  ///
  /// - Throws: ``ChangeError`` where the columns do not fit together.
  public mutating func finish() throws(ChangeError) -> RecordBatch {
    textBytes = 0
    return try assembler.finish().rows
  }

  /// Whether values without column are kept for ``completed(_:)``; a builder that reads records again need not.
  public var keepsNewValues: Bool {
    get { assembler.keepsNewValues }
    set { assembler.keepsNewValues = newValue }
  }

  /// All batches that were finished, with the ``FoundColumns/newFields`` and the types of the ``FoundColumns/widerFields``, so that nothing
  /// need be read again for them; it is asked once, at the end.
  ///
  /// - Returns: Nil where only another reading tells: two names turned out to share a column, or a value fits none. A
  ///   builder of the ``GrowingColumns`` that grow by what was ``found`` is then to read the records once more.
  public mutating func completed(_ batches: [RecordBatch]) -> [RecordBatch]? {
    assembler.completed(batches)
  }
}
