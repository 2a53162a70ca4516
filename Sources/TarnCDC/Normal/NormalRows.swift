import TarnBytes
package import TarnColumns

/// Turns change records of every shape into rows of the one form that ``ChangeRecord/appendNormalForm(_:to:)`` writes.
///
/// The columns are that form's members, `dynamodb` a structure, and keys and images DynamoDB JSON as text, since each
/// item has attributes of its own: as a Parquet file they are read again to the same records.
package struct NormalRows: ChangeConsumer {
  var scan: ChangeScan
  private var table: TableFilter
  private var outer = Self.outer.map { ColumnBuilder($0.type) }
  private var inner = Self.inner.map { ColumnBuilder($0.type) }
  private var identity = Self.identity.map { ColumnBuilder($0.type) }
  private var hasIdentity = Bitmap()
  private var rows = 0
  private var textBytes = 0
  /// Number of records that were taken.
  package private(set) var count = 0
  /// Number of records of other tables.
  package var otherTables: Int { table.passedOver }

  private static let outer = [
    Field("eventID", .string), Field("eventName", .string), Field("tableName", .string),
  ]
  private static let identity = [Field("type", .string), Field("principalId", .string)]
  private static let inner = [
    Field("ApproximateCreationDateTime", .int64), Field("ApproximateCreationDateTimePrecision", .string),
    Field("Keys", .string), Field("NewImage", .string), Field("OldImage", .string),
    Field("SequenceNumber", .string), Field("SubsequenceNumber", .int64),
  ]

  /// The columns.
  package static let schema = Schema(
    outer + [
      Field("userIdentity", .structure(identity)), Field("dynamodb", .structure(inner), isNullable: false),
    ])

  /// How many rows, and how much text of them, are held before they are to be taken.
  private static let (mostRows, mostText) = (16_384, 16 << 20)

  /// - Parameters:
  ///   - table: The DynamoDB table whose records are taken; nil for those of all.
  ///   - shape: How the records are written; nil where each tells that.
  package init(table: String? = nil, shape: ChangeShape? = nil) {
    scan = ChangeScan(shape)
    self.table = TableFilter(table)
  }

  package func isFull(limit: Int) -> Bool { rows >= Self.mostRows || textBytes >= Self.mostText }

  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    guard try table.takes(scan.record, scanner) else { return }
    let record = scan.record
    // What may be refused comes before anything is appended.
    var images: [[UInt8]?] = []
    for image in NormalImage.allCases {
      guard image.range(of: record) != nil else {
        images.append(nil)
        continue
      }
      var text: [UInt8] = []
      try record.append(image, scanner, to: &text)
      images.append(text)
    }
    let time = record.normalTime
    do throws(ColumnError) {
      try outer[0].append(optional: record.eventIDText.map { scanner.string($0) })
      try outer[1].append(record.kind.name)
      try outer[2].append(optional: record.tableName(in: scanner))
      let user = record.userIdentity(in: scanner.bytes)
      try identity[0].append(optional: user?.type)
      try identity[1].append(optional: user?.principalID)
      hasIdentity.append(user != nil)
      inner[0].append(optional: time?.time)
      try inner[1].append(optional: time?.precision)
      for (index, image) in images.enumerated() {
        if let image { try inner[2 + index].append(image.span.bytes) } else { inner[2 + index].appendNulls() }
      }
      try inner[5].append(optional: record.sequenceNumberRange.map { scanner.string($0) })
      inner[6].append(optional: record.aggregateIndex.map { Int64($0) })
    } catch { throw .columns(error) }
    rows += 1
    count += 1
    textBytes += record.range.count
  }

  /// Hands the rows out, and begins anew.
  ///
  /// - Throws: ``ChangeError`` where the columns do not fit together.
  package mutating func takeRows() throws(ChangeError) -> RecordBatch {
    let fields = Self.schema.fields
    var columns = outer.map { $0.finish() }
    do throws(ColumnError) {
      columns.append(
        try Column(
          type: fields[3].type, values: .structure(identity.map { $0.finish() }, count: rows),
          validity: hasIdentity))
      columns.append(
        try Column(type: fields[4].type, values: .structure(inner.map { $0.finish() }, count: rows)))
      let batch = try RecordBatch(schema: Self.schema, columns: columns, count: rows)
      outer = Self.outer.map { ColumnBuilder($0.type) }
      inner = Self.inner.map { ColumnBuilder($0.type) }
      identity = Self.identity.map { ColumnBuilder($0.type) }
      (hasIdentity, rows, textBytes) = (Bitmap(), 0, 0)
      return batch
    } catch { throw .columns(error) }
  }
}

extension ColumnBuilder {
  fileprivate mutating func append(optional text: String?) throws(ColumnError) {
    if let text { try append(text) } else { appendNulls() }
  }

  fileprivate mutating func append(optional number: Int64?) {
    if let number { append(number) } else { appendNulls() }
  }
}
