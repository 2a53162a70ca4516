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
  /// The column of each numbered name; -1 where it has none.
  private var columns: [Int32] = []
  /// What has been seen of names without column.
  private(set) var strangers: [InferredType] = []
  /// Columns that are not filled from values.
  private var isReserved: [Bool]

  /// The value of each column in the present row, a position among the scanned values; -1 where it has none.
  private(set) var slots: [Int32]
  /// Number of rows, those to be left out too.
  private(set) var count = 0
  private var leftOut: [Int32] = []

  init(_ schema: Schema, reserved: Set<String> = []) throws(ChangeError) {
    self.schema = schema
    var targets: [ColumnTarget] = []
    for field in schema.fields {
      guard let target = ColumnTarget(field.type) else {
        throw .unsupportedColumn(name: field.name, type: field.type.name)
      }
      targets.append(target)
    }
    self.targets = targets
    builders = schema.fields.map { ColumnBuilder($0.type) }
    slots = [Int32](repeating: -1, count: targets.count)
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
        if stranger == nil { stranger = position }
        continue
      }
      previous = id
      let column = Int(columns[id])
      if column >= 0 {
        if slots[column] < 0 {
          slots[column] = Int32(truncatingIfNeeded: position)
        } else if isFirst {
          throw .duplicate(name: names.name(id))
        }
      } else if isFirst {
        strangers[id].note(value, scanner)
        if stranger == nil { stranger = position }
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
      columns.append(-1)
      strangers.append(InferredType())
    }
    return id
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
          try targets[column].append(value, text.span.bytes, to: &builders[column])
        } else {
          try targets[column].append(value, scanner.raw(value.value), to: &builders[column])
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
    let shown: String
    switch value.kind {
    case .yes: shown = "true"
    case .no: shown = "false"
    case .null: shown = "null"
    default:
      let text = scanner.text(value.value, isEscaped: value.valueIsEscaped)
      let short = text.count > 60 ? "\(text.prefix(57))..." : text
      shown = value.kind.isString && value.kind != .number ? "\"\(short)\"" : short
    }
    return .misfit(column: field.name, type: field.type.name, value: shown, why: misfit.why)
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

  /// The names that have no column, with the types that would fit what has been seen of them.
  var newFields: [(field: Field, count: Int, warning: String?)] {
    strangers.indices.filter { columns[$0] < 0 && strangers[$0].count > 0 }.map { id in
      let name = names.name(id)
      return (Field(name, strangers[id].type), strangers[id].count, strangers[id].warning(name))
    }
  }
}
