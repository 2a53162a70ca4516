import TarnBytes
public import TarnColumns

/// How many records of each kind a ``ChangeBatchBuilder`` has taken.
public struct ChangeCounts: Sendable, Hashable {
  /// Change records taken.
  public var records = 0
  /// Of these, items that were new.
  public var inserts = 0
  /// Of these, items that were changed.
  public var modifies = 0
  /// Of these, items that were removed.
  public var removes = 0
  /// Of ``modifies``, those that moved an item to another partition: each gave a row to delete, too.
  public var moves = 0
  /// Records that were rejected, not counted in ``records``.
  public var rejected = 0
  /// Records of other DynamoDB tables that were passed over, not counted in ``records``.
  public var otherTables = 0
  /// Of ``records``, those whose times are written in whole seconds.
  public var timesInSeconds = 0
  /// Of ``records``, those whose times are written more finely.
  public var finerTimes = 0

  /// No records.
  public init() {}
}

/// Builds batches of changes from change records, straight from scanned text.
///
/// INSERT and MODIFY give a row to upsert, with columns from NewImage, and from Keys where NewImage lacks them.
/// REMOVE gives a row to delete, with columns from Keys and OldImage. A MODIFY whose OldImage has another
/// partition value gives a row that deletes the old one, before the row to upsert. An attribute that is not
/// there, or is NULL, is null. Attributes without column are left out; ``found`` tells which. Those whose names
/// no column can have, such as `a-b`, go to a column such as `a_b_1f0e2d3c`, with digits that are that name's alone.
///
/// ```swift
/// var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], partitionFields: ["exchange"])
/// var reader = RecordReader(storage: storage, paths: paths)
/// var more = true
/// repeat {
///   more = try await reader.read(into: &builder, limit: 65_536)
///   let batch = try builder.finish()
///   print(builder.counts.records, "records in", batch)
/// } while more
/// ```
public struct ChangeBatchBuilder: Sendable, RowBuilder, ChangeConsumer {
  /// What was taken since the builder was made.
  public private(set) var counts = ChangeCounts()

  private var assembler: RowAssembler
  var scan: ChangeScan
  private var table: TableChoice
  private var isDelete = Bitmap()
  private let keyColumns: [Int]
  private let partitionColumns: [Int]
  /// Whether a column of a row to delete may be null where its value does not fit.
  private let lenient: [Bool]
  private let idColumn: Int?
  private let nameColumn: Int?
  private let timeColumn: Int?
  private let sequenceColumn: Int?
  /// The sequence number of the present record, as its column has it; empty where it has none.
  private var sequence: [UInt8] = []
  private var textBytes = 0
  /// The rows that a table refuses, where their records are looked for.
  package var refusals: RowRefusals?

  private static let nameTexts = [
    ChangeKind.insert: Array("INSERT".utf8), .modify: Array("MODIFY".utf8), .remove: Array("REMOVE".utf8),
  ]
  /// Text of this length in one batch cannot fill any column beyond its limit of 2 GiB.
  private static let greatestText = 1 << 30

  /// Makes a builder for the columns of a schema.
  ///
  /// - Parameters:
  ///   - schema: The columns, of any types but nested ones. ``EventColumn`` names those filled from the scan.record.
  ///   - keyFields: The columns that make the key; a record without a value for each is rejected.
  ///   - partitionFields: The columns that tell the partition.
  ///   - orderingField: The column that orders rows with one key.
  ///   - owners: Which names own which columns of the table.
  ///   - table: The DynamoDB table whose records are taken, by its name; others are passed over. Without it, records of
  ///     another table than the first are rejected.
  ///   - widening: The types of columns of whole numbers and decimals that get more digits where a value needs them:
  ///     the table's, or the ``FoundColumns/widerFields`` that were told before.
  ///   - utcOffset: The offset from UTC, in microseconds, when clocks show a time, given as microseconds since
  ///     1970: what makes instants of texts without zone. Without it they are taken as UTC.
  ///   - keepsNewValues: Whether values without column, or with one that is too narrow, are kept for ``completed(_:)``.
  ///   - shape: How the records are written; nil where each tells that by its members.
  /// - Throws: ``ChangeError`` where the schema has a nested column, lacks one that is named, or has an event
  ///   column of another type.
  public init(
    schema: Schema, keyFields: [String], partitionFields: [String] = [], orderingField: String? = nil,
    owners: ColumnOwners = ColumnOwners(), table: String? = nil, widening: [String: DataType] = [:],
    utcOffset: (@Sendable (Int64) -> Int64)? = nil, keepsNewValues: Bool = false, shape: ChangeShape? = nil
  ) throws(ChangeError) {
    scan = ChangeScan(shape)
    var keys: [Int] = []
    for name in keyFields { keys.append(try Self.column(name, schema)) }
    var partitions: [Int] = []
    for name in partitionFields { partitions.append(try Self.column(name, schema)) }
    for field in EventColumn.fields {
      guard let found = schema[field.name], found.type != field.type else { continue }
      if field.name == EventColumn.time, found.type == .timestamp(.milliseconds, .instant) { continue }
      throw .columns(
        .typeMismatch(expected: "column \(field.name): \(field.type.name)", found: found.type.name))
    }
    let roles = keyFields + partitionFields + [orderingField].compactMap { $0 }
    assembler = try RowAssembler(
      schema, of: .attributes, owners: owners, roles: roles, widening: widening,
      utcOffset: utcOffset, keepsNewValues: keepsNewValues)
    self.table = TableChoice(table)
    keyColumns = keys
    partitionColumns = partitions
    lenient = schema.fields.indices.map { !keys.contains($0) && !partitions.contains($0) }
    idColumn = schema.index(of: EventColumn.id)
    nameColumn = schema.index(of: EventColumn.name)
    timeColumn = schema.index(of: EventColumn.time)
    sequenceColumn = schema.index(of: EventColumn.sequence)
  }

  private static func column(_ name: String, _ schema: Schema) throws(ChangeError) -> Int {
    guard let column = schema.index(of: name) else { throw .missingColumn(name: name) }
    return column
  }

  /// Number of rows in the present batch, rejected ones too.
  public var rowCount: Int { assembler.count }

  /// Whether the batch has at least `limit` rows, or as much text as fits a column.
  public func isFull(limit: Int) -> Bool { assembler.count >= limit || textBytes >= Self.greatestText }

  /// Takes note that a record was rejected.
  package mutating func noteRejected() { counts.rejected += 1 }

  /// What the records so far have told of columns.
  public var found: FoundColumns { assembler.found }

  @inline(__always)
  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    guard try table.takes(scan.record, scanner) else {
      counts.otherTables += 1
      return
    }
    let before = assembler.count
    if sequenceColumn != nil { _ = try SequenceNumber.write(of: scan.record, scanner, into: &sequence) }
    if scan.record.kind == .remove {
      try appendDelete(scanner)
      counts.removes += 1
    } else {
      try appendUpsert(scanner)
      if scan.record.kind == .insert { counts.inserts += 1 } else { counts.modifies += 1 }
    }
    textBytes += scan.record.range.count
    counts.records += 1
    if refusals != nil { try refusals?.note(assembler.count - before) }
    if let precision = scan.record.eventTimePrecision {
      if precision == .second { counts.timesInSeconds += 1 } else { counts.finerTimes += 1 }
    }
  }

  private mutating func appendUpsert(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    guard let newImage = scan.record.newImage else { throw .noNewImage(eventName: scan.record.kind.name) }
    var deleted: Int?
    if !partitionColumns.isEmpty, scan.record.kind == .modify, let oldImage = scan.record.oldImage,
      try isMove(newImage, oldImage, scanner)
    {
      deleted = assembler.count
      try appendDelete(scanner)
      counts.moves += 1
    }
    do {
      assembler.beginRow()
      _ = try assembler.assign(scan.record.values, newImage, scanner, isFirst: true)
      if let keys = scan.record.keys {
        _ = try assembler.assign(scan.record.values, keys, scanner, isFirst: false)
      }
      try assembler.checkKeys(keyColumns, scan.record.values, scanner)
      try assembler.appendRow(scan.record.values, scanner)
    } catch {
      alignDeletions()
      if let deleted {
        assembler.leaveOut(row: deleted)
        counts.moves -= 1
      }
      throw error
    }
    try appendEvent(scanner)
    isDelete.append(false)
  }

  private mutating func appendDelete(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    do {
      assembler.beginRow()
      if let oldImage = scan.record.oldImage {
        _ = try assembler.assign(scan.record.values, oldImage, scanner, isFirst: false)
      }
      if let keys = scan.record.keys {
        _ = try assembler.assign(scan.record.values, keys, scanner, isFirst: false)
      }
      try assembler.checkKeys(keyColumns, scan.record.values, scanner)
      try assembler.appendRow(scan.record.values, scanner, lenient: lenient)
    } catch {
      alignDeletions()
      throw error
    }
    try appendEvent(scanner)
    isDelete.append(true)
  }

  /// Whether the images' partition values are written differently.
  private mutating func isMove(
    _ newImage: Range<Int>, _ oldImage: Range<Int>, _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) -> Bool {
    assembler.beginRow()
    _ = try assembler.assign(scan.record.values, oldImage, scanner, isFirst: false)
    let old = partitionColumns.map { assembler.assigned[$0] }
    assembler.beginRow()
    _ = try assembler.assign(scan.record.values, newImage, scanner, isFirst: false)
    for (column, before) in zip(partitionColumns, old) {
      let after = assembler.assigned[column]
      guard before >= 0, after >= 0 else {
        if before != after { return true }
        continue
      }
      let (a, b) = (scan.record.values[Int(before)], scan.record.values[Int(after)])
      if a.kind != b.kind || !scanner.raw(a.value).isEqual(to: scanner.raw(b.value)) { return true }
    }
    return false
  }

  /// A rejected row may be among the rows, to be left out later; its bit must be there too.
  private mutating func alignDeletions() {
    isDelete.append(repeating: false, count: assembler.count - isDelete.count)
  }

  private mutating func appendEvent(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    if let idColumn {
      if let text = scan.record.eventIDText {
        if text.isEscaped {
          try assembler.appendReserved(idColumn, scanner.unescaped(text.range).span.bytes)
        } else {
          try assembler.appendReserved(idColumn, scanner.raw(text))
        }
      } else {
        assembler.appendReservedNull(idColumn)
      }
    }
    if let nameColumn, let name = Self.nameTexts[scan.record.kind] {
      try assembler.appendReserved(nameColumn, name.span.bytes)
    }
    if let timeColumn { assembler.appendReserved(timeColumn, microseconds: scan.record.eventTime) }
    guard let sequenceColumn else { return }
    if sequence.isEmpty {
      assembler.appendReservedNull(sequenceColumn)
    } else {
      let text = sequence
      try assembler.appendReserved(sequenceColumn, text.span.bytes)
    }
  }

  /// The batch of the rows so far, without those that were rejected; begins the next one.
  ///
  /// - Throws: ``ChangeError`` where the columns do not fit together.
  public mutating func finish() throws(ChangeError) -> ChangeBatch {
    let (rows, kept) = try assembler.finish()
    var bits = isDelete
    if let kept {
      bits = Bitmap()
      for row in kept { bits.append(isDelete[Int(row)]) }
    }
    isDelete = Bitmap()
    textBytes = 0
    do { return try ChangeBatch(rows: rows, isDelete: bits) } catch { throw .columns(error) }
  }

  /// Whether columns that are found may be of timestamps; see ``SchemaInference/recognizesTimes``.
  public var recognizesTimes: Bool {
    get { assembler.recognizesTimes }
    set { assembler.recognizesTimes = newValue }
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
  public mutating func completed(_ batches: [ChangeBatch]) -> [ChangeBatch]? {
    guard let rows = assembler.completed(batches.map(\.rows)) else { return nil }
    do {
      return try zip(batches, rows).map { batch, rows in try ChangeBatch(rows: rows, isDelete: batch.isDelete)
      }
    } catch { return nil }
  }
}
