import TarnBytes

/// What change records of any shape tell of what a stream delivered.
///
/// Memory does not grow with the records: names of attributes and tables are counted up to a limit of 10,000, and records
/// are compared with those before them by hashes, of which 3,145,728 are kept.
package struct ChangeSummary: ChangeConsumer {
  /// What is known of one attribute.
  package struct Attribute: Sendable {
    package var name: String
    /// Whether a record had it among its Keys.
    package var isKey = false
    /// In how many items it is.
    package var count = 0
    /// How many of its values are of each type, by DynamoDB's tags, in the order of ``AttributeTag``.
    package var types = [Int](repeating: 0, count: AttributeTag.allCases.count)
  }

  /// Number of records.
  package private(set) var count = 0
  /// How many inserted, modified and removed an item.
  package private(set) var kinds = [ChangeKind: Int]()
  /// Of those that removed one, how many were of DynamoDB itself, a time to live having passed.
  package private(set) var expiries = 0
  /// How many there are of each shape.
  package private(set) var shapes = [ChangeShape: Int]()
  /// The tables in the order in which they came, and how many records are of each.
  package private(set) var tables: [(name: String, count: Int)] = []
  /// Records that do not say of which table they are, or of one beyond the limit.
  package private(set) var withoutTable = 0
  /// The earliest and the latest time, in microseconds since 1970-01-01T00:00:00Z; nil without any.
  package private(set) var times: ClosedRange<Int64>?
  /// Records without time.
  package private(set) var withoutTime = 0
  /// Times of each precision.
  package private(set) var precisions = [EventTimePrecision: Int]()
  /// Records whose time lies before that of a record that came earlier.
  package private(set) var late = 0
  /// Records that came before: of the same kind, table, time, keys and images.
  package private(set) var duplicates = 0
  /// Whether all records were compared with all before them.
  package var comparedAll: Bool { !seen.isBeyond }
  /// The attributes in the order in which they came.
  package private(set) var attributes: [Attribute] = []
  /// Whether there were more names than are told apart.
  package private(set) var hasMoreNames = false
  /// Records that could not be taken.
  package private(set) var rejected = 0
  /// Records of other tables.
  package var otherTables: Int { table.passedOver }

  var scan: ChangeScan
  private var table: TableFilter
  private var names = NameTable()
  private var tableNames = NameTable()
  private var seen = SeenHashes()

  /// - Parameters:
  ///   - table: The DynamoDB table whose records are taken; nil for those of all.
  ///   - shape: How the records are written; nil where each tells that.
  package init(table: String? = nil, shape: ChangeShape? = nil) {
    scan = ChangeScan(shape)
    self.table = TableFilter(table)
  }

  package func isFull(limit: Int) -> Bool { count >= limit }

  package mutating func noteRejected() { rejected += 1 }

  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    guard try table.takes(scan.record, scanner) else { return }
    count += 1
    kinds[scan.record.kind, default: 0] += 1
    shapes[scan.record.shape, default: 0] += 1
    if scan.record.isExpiry, scan.record.kind == .remove { expiries += 1 }
    noteTable(scanner)
    noteTime()
    if seen.contains(orAdd: hash(scanner)) { duplicates += 1 }
    if let keys = scan.record.keys {
      noteAttributes(
        keys, scanner, areKeys: true, areCounted: scan.record.newImage == nil && scan.record.oldImage == nil)
    }
    if let image = scan.record.newImage ?? scan.record.oldImage {
      noteAttributes(image, scanner, areKeys: false, areCounted: true)
    }
  }

  private mutating func noteTable(_ scanner: borrowing JSONScanner) {
    guard let name = scan.record.tableName(in: scanner), let number = tableNames.number(of: name) else {
      withoutTable += 1
      return
    }
    if number == tables.count { tables.append((name, 0)) }
    tables[number].count += 1
  }

  private mutating func noteTime() {
    guard let time = scan.record.eventTime else {
      withoutTime += 1
      return
    }
    if let precision = scan.record.eventTimePrecision { precisions[precision, default: 0] += 1 }
    guard let known = times else {
      times = time...time
      return
    }
    if time < known.upperBound { late += 1 }
    times = min(known.lowerBound, time)...max(known.upperBound, time)
  }

  /// A hash of what makes a record the same as another: kind, table, time, keys and images.
  ///
  /// Event ids and the numbers of what carried it may differ where one change was delivered twice. But changes of one
  /// second may be alike, so that there the number counts, which DynamoDB Streams gives each.
  private func hash(_ scanner: borrowing JSONScanner) -> UInt64 {
    let record = scan.record
    var head: [UInt8] = []
    head.append(text: record.kind.name)
    head.append(decimal: record.eventTime ?? .min)
    head.append(text: record.tableName(in: scanner) ?? "")
    if record.eventTimePrecision == .second, let number = record.sequenceNumberRange {
      head.append(scanner.raw(number))
    }
    var hash = XXH64.hash(head.span.bytes)
    for range in [record.keysRange, record.newImageRange, record.oldImageRange] {
      hash = range.map { XXH64.hash(scanner.raw($0), seed: hash) } ?? XXH64.hash(hash)
    }
    return hash
  }

  private mutating func noteAttributes(
    _ range: Range<Int>, _ scanner: borrowing JSONScanner, areKeys: Bool, areCounted: Bool
  ) {
    var previous = -1
    for value in scan.record.values[range] {
      let number =
        value.nameIsEscaped
        ? names.number(of: scanner.unescaped(value.name).span.bytes, after: previous)
        : names.number(of: scanner.raw(value.name), after: previous)
      guard let number else {
        hasMoreNames = true
        continue
      }
      previous = number
      if number == attributes.count { attributes.append(Attribute(name: names.name(number))) }
      if areKeys { attributes[number].isKey = true }
      guard areCounted else { continue }
      attributes[number].count += 1
      attributes[number].types[AttributeTag(value, scanner).rawValue] += 1
    }
  }
}

/// The types of DynamoDB's attributes; plain JSON has those that it would become.
package enum AttributeTag: Int, Sendable, CaseIterable {
  case string, number, binary, boolean, null, map, list, stringSet, numberSet, binarySet

  /// The tag, such as `SS`.
  package var name: String { ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"][rawValue] }

  init(_ value: ScannedValue, _ scanner: borrowing JSONScanner) {
    switch value.kind {
    case .string: self = .string
    case .number: self = .number
    case .binary: self = .binary
    case .yes, .no: self = .boolean
    case .null: self = .null
    case .document:
      let isObject = scanner.raw(value.value).withUnsafeBytes { $0.first == 0x7b }
      self = isObject ? .map : .list
    case .attributeDocument:
      var inner = JSONScanner(scanner.raw(value.value))
      self = .map
      guard (try? inner.beginObject()) != nil, let tag = try? inner.nextKey() else { return }
      let name = inner.string(tag)
      self = Self.allCases.first { $0.name == name } ?? .map
    }
  }
}
