import TarnBytes
import TarnColumns

/// Puts scanned values, row by row, into columns.
///
/// A row goes through two steps: ``assign`` finds the column of each value, ``appendRow`` converts and appends.
/// A row that fails half-way is filled up with nulls and left out when the columns are finished: that is cheap,
/// since rows seldom fail.
struct RowAssembler: Sendable {
  let schema: Schema
  private let targets: [ColumnTarget]
  private var builders: [ColumnBuilder]
  private(set) var names = NameTable()
  /// The column of each numbered name; -1 where it has none, and where it is called otherwise, its column
  /// subtracted from -2.
  private var columns: [Int32] = []
  /// What has been seen of names without column, or with one that is called otherwise.
  private var strangers: [InferredType] = []
  private let origin: ColumnName.Origin
  private var times: ZonelessTimes
  /// Columns that are not filled from values.
  private var isReserved: [Bool]

  /// The value of each column in the present row, a position among the scanned values; -1 where it has none.
  private(set) var slots: [Int32]
  /// Number of rows, those to be left out too.
  private(set) var count = 0
  private var leftOut: [Int32] = []

  init(
    _ schema: Schema, of origin: ColumnName.Origin, utcOffset: (@Sendable (Int64) -> Int64)?
  ) throws(ChangeError) {
    self.schema = schema
    self.origin = origin
    times = ZonelessTimes(columns: schema.fields.count, utcOffset: utcOffset)
    var targets: [ColumnTarget] = []
    for (column, field) in schema.fields.enumerated() {
      guard let target = ColumnTarget(field.type, column: column) else {
        throw .unsupportedColumn(name: field.name, type: field.type.name)
      }
      targets.append(target)
    }
    self.targets = targets
    builders = schema.fields.map { ColumnBuilder($0.type) }
    slots = [Int32](repeating: -1, count: targets.count)
    let reserved = origin == .attributes ? EventColumn.fields.map(\.name) : []
    isReserved = schema.fields.map { reserved.contains($0.name) }
    for (column, field) in schema.fields.enumerated() where !isReserved[column] {
      guard let id = names.number(of: field.name), id == columns.count else {
        throw .columns(.malformed("the schema has the column \(field.name) twice, or too many columns"))
      }
      columns.append(Int32(column))
      strangers.append(InferredType())
    }
  }

  mutating func clearSlots() {
    for column in slots.indices { slots[column] = -1 }
  }

  /// Gives columns that have no value yet theirs from scanned values.
  ///
  /// - Parameter isFirst: Whether these are a row's main values: a column that has one already is then an
  ///   error, and names without column are counted.
  /// - Returns: The position of the first value without column, if any.
  @inline(__always)
  mutating func assign(
    _ values: [ScannedValue], _ range: Range<Int>, _ scanner: borrowing JSONScanner, isFirst: Bool
  ) throws(RejectionReason) -> Int? {
    var previous = -1
    var stranger: Int?
    for position in range {
      let value = values[position]
      guard let id = number(of: value, scanner, after: previous) else {
        guard isFirst else { continue }
        throw .tooManyNames(
          name: scanner.text(value.name, isEscaped: value.nameIsEscaped), limit: NameTable.limit)
      }
      previous = id
      let column = Int(columns[id])
      if column >= 0 {
        if slots[column] < 0 {
          slots[column] = Int32(truncatingIfNeeded: position)
        } else if isFirst {
          try settle(id, column, position, values, scanner)
        }
        continue
      }
      if isFirst { strangers[id].note(value, scanner) }
      if column < -1 {
        let column = -2 - column
        if slots[column] < 0 {
          slots[column] = Int32(truncatingIfNeeded: position)
        } else if isFirst {
          try settle(id, column, position, values, scanner)
        }
      } else if isFirst, stranger == nil {
        stranger = position
      }
    }
    return stranger
  }

  @inline(__always)
  private mutating func number(
    of value: ScannedValue, _ scanner: borrowing JSONScanner, after previous: Int
  ) -> Int? {
    let id: Int?
    if value.nameIsEscaped {
      id = names.number(of: scanner.unescaped(value.name).span.bytes, after: previous)
    } else {
      id = names.number(of: scanner.raw(value.name), after: previous)
    }
    if names.count > columns.count {
      columns.append(substitute(names.name(columns.count)))
      strangers.append(InferredType())
    }
    return id
  }

  /// The column of a name that is not its own, if the schema has one for it, as ``columns`` holds it.
  private func substitute(_ name: String) -> Int32 {
    let (simple, distinct) = ColumnName.candidates(name, origin)
    let column = schema.index(of: distinct) ?? simple.flatMap { schema.index(of: $0) }
    guard let column, !isReserved[column] else { return -1 }
    return -2 - Int32(truncatingIfNeeded: column)
  }

  /// Settles which of two values of one row has a column.
  ///
  /// It is that whose name is the column's, else that whose name's bytes are less; the other name needs a column of
  /// its own.
  private mutating func settle(
    _ id: Int, _ column: Int, _ position: Int, _ values: [ScannedValue], _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) {
    guard let other = number(of: values[Int(slots[column])], scanner, after: -1), other != id else {
      throw .duplicate(name: names.name(id))
    }
    let isIDs =
      columns[id] >= 0
      || columns[other] < 0 && names.name(id).utf8.lexicographicallyPrecedes(names.name(other).utf8)
    columns[isIDs ? other : id] = -1
    if isIDs { slots[column] = Int32(truncatingIfNeeded: position) }
  }

  /// Appends the row of the assigned values.
  ///
  /// - Parameter lenient: Columns whose values become null where they do not fit; for rows to delete.
  mutating func appendRow(
    _ values: [ScannedValue], _ scanner: borrowing JSONScanner, lenient: [Bool]? = nil
  ) throws(RejectionReason) {
    for column in targets.indices where !isReserved[column] {
      let slot = slots[column]
      guard slot >= 0, values[Int(slot)].kind != .null else {
        builders[column].appendNulls()
        continue
      }
      let value = values[Int(slot)]
      do {
        if value.valueIsEscaped {
          let text = scanner.unescaped(value.value)
          try targets[column].append(value, text.span.bytes, to: &builders[column], &times)
        } else {
          try targets[column].append(value, scanner.raw(value.value), to: &builders[column], &times)
        }
      } catch {
        if let lenient, lenient[column] {
          builders[column].appendNulls()
          continue
        }
        leaveOutPresentRow()
        throw misfit(column, value, scanner, error)
      }
    }
    count += 1
  }

  /// Fills the present row up with nulls, and notes that it is to be left out.
  private mutating func leaveOutPresentRow() {
    leftOut.append(Int32(truncatingIfNeeded: count))
    count += 1
    for column in builders.indices where builders[column].count < count { builders[column].appendNulls() }
  }

  /// Leaves out a row that was appended, after all.
  mutating func leaveOut(row: Int) { leftOut.append(Int32(truncatingIfNeeded: row)) }

  private func misfit(
    _ column: Int, _ value: ScannedValue, _ scanner: borrowing JSONScanner, _ misfit: Misfit
  ) -> RejectionReason {
    let field = schema.fields[column]
    let shown = Self.shown(value, scanner)
    if misfit.isBroken { return .badValue(column: field.name, value: shown, why: misfit.why) }
    return .misfit(column: field.name, type: field.type.name, value: shown, why: misfit.why)
  }

  private static func shown(_ value: ScannedValue, _ scanner: borrowing JSONScanner) -> String {
    switch value.kind {
    case .yes: return "true"
    case .no: return "false"
    case .null: return "null"
    default:
      let text = scanner.text(value.value, isEscaped: value.valueIsEscaped)
      let short = text.count > 60 ? "\(text.prefix(57))..." : text
      return value.kind.isString && value.kind != .number ? "\"\(short)\"" : short
    }
  }

  /// Checks that the assigned values of key columns can make a key.
  ///
  /// A key of one column cannot be empty. Which keys of several columns are ambiguous is the table's to say.
  func checkKeys(
    _ keys: [Int], _ values: [ScannedValue], _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) {
    for column in keys {
      let slot = slots[column]
      guard slot >= 0, values[Int(slot)].kind != .null else {
        throw .missingKey(column: schema.fields[column].name)
      }
      guard keys.count == 1, targets[column].kind == .string else { continue }
      let value = values[Int(slot)]
      guard value.value.isEmpty, value.kind.isString else { continue }
      throw .badKey(
        column: schema.fields[column].name, value: Self.shown(value, scanner),
        why: "is empty, and a key needs a text")
    }
  }

  /// Appends to a reserved column; the row must have been appended.
  mutating func appendReserved(_ column: Int, _ text: RawSpan) throws(RejectionReason) {
    do { try builders[column].append(text) } catch { throw .columns(error) }
  }

  mutating func appendReservedNull(_ column: Int) { builders[column].appendNulls() }

  mutating func appendReserved(_ column: Int, microseconds: Int64?) {
    guard let microseconds else {
      builders[column].appendNulls()
      return
    }
    builders[column].append(CivilTime.floorDivide(microseconds, targets[column].unit))
  }

  /// The columns of the rows so far, and where rows were left out which stayed; begins anew.
  mutating func finish() throws(ChangeError) -> (rows: RecordBatch, kept: [Int32]?) {
    var columns: [Column] = []
    for column in builders.indices {
      columns.append(builders[column].finish())
      builders[column] = ColumnBuilder(schema.fields[column].type)
    }
    defer {
      count = 0
      leftOut.removeAll(keepingCapacity: true)
    }
    do {
      let rows = try RecordBatch(schema: schema, columns: columns, count: count)
      guard !leftOut.isEmpty else { return (rows, nil) }
      let kept = keptRows()
      return (try rows.gather(kept), kept)
    } catch {
      throw .columns(error)
    }
  }

  private mutating func keptRows() -> [Int32] {
    leftOut.sort()
    var kept: [Int32] = []
    var next = 0
    for row in 0..<Int32(truncatingIfNeeded: count) {
      if next < leftOut.count, leftOut[next] == row { next += 1 } else { kept.append(row) }
    }
    return kept
  }

  /// Names of the columns that had times without zone.
  var zonelessColumns: [String] { times.columns.map { schema.fields[$0].name } }

  /// The names that have no column, with the types that would fit what has been seen of them.
  var newFields: [(field: Field, count: Int, warning: String?)] {
    let found = strangers.indices.filter { columns[$0] == -1 && strangers[$0].count > 0 }
    let named = ColumnName.columns(
      found.map { names.name($0) }, origin, taken: Set(schema.fields.lazy.map(\.name)))
    return zip(found, named).map { id, column in
      let warnings = [ColumnName.warning(names.name(id), column), strangers[id].warning(column)]
      return (
        Field(column, strangers[id].type), strangers[id].count,
        warnings.contains { $0 != nil } ? warnings.compactMap { $0 }.joined(separator: "; ") : nil
      )
    }
  }
}
