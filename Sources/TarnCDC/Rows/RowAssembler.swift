import TarnBytes
import TarnColumns

/// Puts scanned values, row by row, into columns.
///
/// A row goes through two steps: ``assign`` finds the column of each value, ``appendRow`` converts and appends.
/// A row that fails half-way is filled up with nulls and left out when the columns are finished: that is cheap,
/// since rows seldom fail.
struct RowAssembler: Sendable {
  let schema: Schema
  let targets: [ColumnTarget]
  private var builders: [ColumnBuilder]
  private(set) var names = NameTable()
  /// The column of each numbered name; -1 where it has none, and where its owner is not known yet, the column
  /// subtracted from -2.
  private var columns: [Int32] = []
  /// What has been seen of names without column, or with one whose owner is not known, in rows that were taken.
  private var strangers: [InferredType] = []
  /// Such names of the present row, and the positions of their values.
  private var met: [(name: Int, position: Int)] = []
  private let origin: ColumnName.Origin
  /// Names that keep their columns where others differ from them in case only.
  private let preferred: Set<ExactText>
  private var claims: ColumnClaims
  private var notes: ColumnNotes
  private var widening: NumberWidening
  /// Columns that are not filled from values.
  private var isReserved: [Bool]

  /// The value of each column in the present row, a position among the scanned values; -1 where it has none.
  private(set) var assigned: [Int32]
  /// Number of rows, those to be left out too.
  private(set) var count = 0
  private var leftOut: [Int32] = []

  /// Whether values without column are kept for ``completed(_:)``.
  var keepsNewValues: Bool
  /// Whether columns that are found may be of times.
  var recognizesTimes = false
  /// Names of the present row that have no column, and the positions of their values.
  private var unplaced: [(name: Int, position: Int)] = []
  /// Columns of the present row that are too narrow, and the positions of their values.
  private var tooNarrow: [(column: Int, position: Int)] = []
  /// The row in which each name was last among those without column.
  private var lastTurn: [Int] = []
  private var turn = 0
  private var late = Late()
  private var lateOfBatches: [Late] = []
  /// Whether the records must be read again, now that more of their columns are known.
  private var isUnsettled = false

  /// Values of one batch that are kept: of names without column, by their numbers as far as such names came, and by
  /// columns.
  private struct Late {
    var new: [LateValues] = []
    var wider: [Int: LateValues] = [:]

    /// Keeps a value of a name without column; tells whether it is kept.
    mutating func append(
      _ value: ScannedValue, _ scanner: borrowing JSONScanner, name: Int, row: Int, isLenient: Bool
    ) -> Bool {
      while new.count <= name { new.append(LateValues()) }
      return new[name].append(value, scanner, row: row, isLenient: isLenient)
    }

    /// Hands over the values of a name, and keeps them no longer.
    mutating func take(name: Int) -> LateValues {
      guard name < new.count else { return LateValues() }
      defer { new[name] = LateValues() }
      return new[name]
    }
  }

  /// - Parameters:
  ///   - schema: The columns.
  ///   - origin: What the values' names are those of.
  ///   - owners: Which names own which columns.
  ///   - roles: The columns that make keys, partitions and order.
  ///   - widening: The table's types of columns of numbers that get more digits where a value needs them.
  ///   - utcOffset: The offset from UTC when clocks show a time, in microseconds.
  ///   - keepsNewValues: Whether values without column are kept.
  ///   - preferred: Names that keep their columns where others differ from them in case only.
  init(
    _ schema: Schema, of origin: ColumnName.Origin, owners: ColumnOwners, roles: [String],
    widening: [String: DataType], utcOffset: (@Sendable (Int64) -> Int64)?, keepsNewValues: Bool,
    preferred: [String] = []
  ) throws(ChangeError) {
    self.schema = schema
    self.preferred = Set(preferred.map { ExactText($0) })
    self.keepsNewValues = keepsNewValues
    self.widening = NumberWidening(schema, widening, of: origin)
    self.origin = origin
    notes = ColumnNotes(columns: schema.fields.count, utcOffset: utcOffset)
    var targets: [ColumnTarget] = []
    for (column, field) in schema.fields.enumerated() {
      // Rows come in the columns' own types, whatever attributes were.
      let kinds = origin == .attributes ? AttributeKinds(names: owners.kinds(of: field.name)) : []
      guard let target = ColumnTarget(field.type, column: column, kinds: kinds, of: origin) else {
        throw .unsupportedColumn(name: field.name, type: field.type.name)
      }
      targets.append(target)
    }
    self.targets = targets
    builders = schema.fields.map { ColumnBuilder($0.type) }
    assigned = [Int32](repeating: -1, count: targets.count)
    let reserved = origin == .attributes ? EventColumn.fields.map(\.name) : []
    isReserved = schema.fields.map { reserved.contains($0.name) }
    claims = ColumnClaims(schema, origin, owners, roles: roles, isReserved: isReserved)
    for (name, column) in claims.names {
      guard let id = names.number(of: name), id == columns.count else {
        throw .columns(.malformed("the schema has the column \(name) twice, or too many columns"))
      }
      columns.append(claims.isOpen(column) ? -2 - Int32(column) : Int32(column))
      noteName()
    }
  }

  /// Begins to note what is known of one more name.
  private mutating func noteName() {
    strangers.append(InferredType())
    lastTurn.append(-1)
  }

  mutating func beginRow() {
    met.removeAll(keepingCapacity: true)
    unplaced.removeAll(keepingCapacity: true)
    tooNarrow.removeAll(keepingCapacity: true)
    turn += 1
    widening.forget()
    for column in assigned.indices { assigned[column] = -1 }
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
        if assigned[column] < 0 {
          assigned[column] = Int32(truncatingIfNeeded: position)
        } else if isFirst {
          try settle(id, column, position, values, scanner)
        }
        continue
      }
      if isFirst { met.append((id, position)) }
      if column < -1 {
        let column = -2 - column
        if assigned[column] < 0 {
          assigned[column] = Int32(truncatingIfNeeded: position)
        } else if isFirst {
          try settle(id, column, position, values, scanner)
        }
      } else {
        if keepsNewValues { noteUnplaced(id, position, isFirst: isFirst) }
        if isFirst, stranger == nil { stranger = position }
      }
    }
    return stranger
  }

  /// Takes note of a value without column, of which the first of its name counts.
  private mutating func noteUnplaced(_ id: Int, _ position: Int, isFirst: Bool) {
    guard lastTurn[id] != turn else {
      // The name is in the row twice; once it has a column, such a row is rejected.
      if isFirst { isUnsettled = true }
      return
    }
    lastTurn[id] = turn
    unplaced.append((id, position))
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
      columns.append(claims.claim(names.name(columns.count)).map { -2 - Int32(truncatingIfNeeded: $0) } ?? -1)
      noteName()
    }
    return id
  }

  /// Settles which of two values of one row has a column whose owner is not known.
  ///
  /// It is that whose name is the column's, else that whose name's bytes are less; the other name needs a column of
  /// its own.
  private mutating func settle(
    _ id: Int, _ column: Int, _ position: Int, _ values: [ScannedValue], _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) {
    guard let other = number(of: values[Int(assigned[column])], scanner, after: -1), other != id else {
      throw .duplicate(name: names.name(id))
    }
    let (name, otherName) = (names.name(id), names.name(other))
    guard columns[id] < -1, columns[other] < -1 else {
      throw .sameColumn(column: schema.fields[column].name, names: [otherName, name])
    }
    let own = schema.fields[column].name
    let isIDs =
      ExactText(name) == ExactText(own)
      || ExactText(otherName) != ExactText(own) && name.utf8.lexicographicallyPrecedes(otherName.utf8)
    columns[isIDs ? other : id] = -1
    // The other's values in earlier rows may have gone to the column.
    isUnsettled = true
    if isIDs { assigned[column] = Int32(truncatingIfNeeded: position) }
  }

  /// Appends the row of the assigned values.
  ///
  /// - Parameter lenient: Columns whose values become null where they do not fit; for rows to delete.
  mutating func appendRow(
    _ values: [ScannedValue], _ scanner: borrowing JSONScanner, lenient: [Bool]? = nil
  ) throws(RejectionReason) {
    for column in targets.indices where !isReserved[column] {
      let position = assigned[column]
      guard position >= 0, values[Int(position)].kind != .null else {
        builders[column].appendNulls()
        continue
      }
      let value = values[Int(position)]
      do {
        if value.valueIsEscaped {
          let text = scanner.unescaped(value.value)
          try targets[column].append(value, text.span.bytes, to: &builders[column], &notes)
        } else {
          try targets[column].append(value, scanner.raw(value.value), to: &builders[column], &notes)
        }
      } catch {
        if lenient.map({ $0[column] }) ?? false || widens(column, value, scanner, error) {
          if keepsNewValues, widening.mayWiden(column) { tooNarrow.append((column, Int(position))) }
          builders[column].appendNulls()
          continue
        }
        leaveOutPresentRow()
        throw misfit(column, value, scanner, error)
      }
    }
    // A row that is rejected makes no columns.
    for (name, position) in met {
      strangers[name].note(values[position], scanner, recognizesTimes: recognizesTimes)
    }
    widening.grant()
    if keepsNewValues { keepLate(values, scanner, lenient) }
    count += 1
  }

  /// Keeps the values of the present row that have no column, or one that is too narrow.
  private mutating func keepLate(
    _ values: [ScannedValue], _ scanner: borrowing JSONScanner, _ lenient: [Bool]?
  ) {
    for (name, position) in unplaced where values[position].kind != .null {
      let isKept = late.append(
        values[position], scanner, name: name, row: count, isLenient: lenient != nil)
      if !isKept { isUnsettled = true }
    }
    for (column, position) in tooNarrow {
      let isKept = late.wider[column, default: LateValues()].append(
        values[position], scanner, row: count, isLenient: lenient.map { $0[column] } ?? false)
      if !isKept { isUnsettled = true }
    }
  }

  /// Whether a column will take a value that it does not take now, once the records are read again.
  private mutating func widens(
    _ column: Int, _ value: ScannedValue, _ scanner: borrowing JSONScanner, _ misfit: MisfitError
  ) -> Bool {
    guard !misfit.isBroken, value.kind == .number || value.kind == .string, !value.valueIsEscaped else {
      return false
    }
    return widening.ask(scanner.raw(value.value), column)
  }

  /// The columns of numbers that had values which they do not hold, with types that hold them.
  private var widerFields: [Field] { widening.fields(of: schema) }

  /// Fills the present row up with nulls, and notes that it is to be left out.
  private mutating func leaveOutPresentRow() {
    leftOut.append(Int32(truncatingIfNeeded: count))
    count += 1
    for column in builders.indices where builders[column].count < count { builders[column].appendNulls() }
  }

  /// Leaves out a row that was appended, after all.
  mutating func leaveOut(row: Int) { leftOut.append(Int32(truncatingIfNeeded: row)) }

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
      guard !leftOut.isEmpty else {
        endLate(nil)
        return (rows, nil)
      }
      let kept = keptRows()
      endLate(kept)
      return (try rows.gather(kept), kept)
    } catch {
      throw .columns(error)
    }
  }

  /// Ends what is kept of a batch, of which these rows stay; nil for all.
  private mutating func endLate(_ kept: [Int32]?) {
    guard keepsNewValues else { return }
    var ended = late
    late = Late()
    if let kept {
      for name in ended.new.indices { ended.new[name].keep(kept) }
      for column in ended.wider.keys { ended.wider[column]?.keep(kept) }
    }
    lateOfBatches.append(ended)
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

  /// What the records so far have told of columns.
  var found: FoundColumns {
    FoundColumns(
      newFields: newFields, untypedNames: untypedNames, widerFields: widerFields,
      zonelessColumns: zonelessColumns, owners: owners)
  }

  /// Names of the columns that had times without zone.
  private var zonelessColumns: [String] { notes.zoneless.map { schema.fields[$0].name } }

  /// The names that have no column, with the types that would fit what has been seen of them.
  ///
  /// A name that had nothing but nulls tells no type yet, and is not among them.
  private var newFields: [(field: Field, count: Int, warning: String?)] {
    var (owners, found) = settled
    found.removeAll { !strangers[$0].isKnown }
    return zip(found, columns(of: found, &owners)).map { id, column in
      let warnings = [
        ColumnName.warning(names.name(id), column), strangers[id].warning(names.name(id), column),
      ]
      return (
        Field(column, strangers[id].type), strangers[id].count,
        warnings.contains { $0 != nil } ? warnings.compactMap { $0 }.joined(separator: "; ") : nil
      )
    }
  }

  /// The batches so far with the columns that were found, and with wider ones; nil where the records must be read
  /// again, by an assembler that knows these.
  ///
  /// What was kept for it is let go.
  mutating func completed(_ batches: [RecordBatch]) -> [RecordBatch]? {
    var (owners, found) = settled
    found.removeAll { !strangers[$0].isKnown }
    let wider = widerFields
    guard !found.isEmpty || !wider.isEmpty else { return batches }
    guard keepsNewValues, !isUnsettled, batches.count == lateOfBatches.count,
      found.allSatisfy({ self.columns[$0] == -1 })
    else { return nil }
    let fields = zip(found, columns(of: found, &owners)).map { Field($1, strangers[$0].type) }
    var complete: [RecordBatch] = []
    defer { lateOfBatches = [] }
    for (number, batch) in batches.enumerated() {
      var batch = batch
      for field in wider {
        let type = GrowingColumns.parsed(field.type)
        guard let column = batch.schema.index(of: field.name),
          let fitted = batch.columns[column].fitted(to: type),
          let filled = (lateOfBatches[number].wider[column] ?? LateValues()).column(
            type, of: origin, beside: fitted, count: batch.count)
        else { return nil }
        batch.columns[column] = filled
        batch.schema.fields[column].type = type
      }
      for (id, field) in zip(found, fields) {
        guard
          let column = lateOfBatches[number].take(name: id).column(
            field.type, strangers[id].kinds(in: field.type), of: origin, beside: nil, count: batch.count)
        else { return nil }
        batch.columns.append(column)
        batch.schema.fields.append(field)
      }
      complete.append(batch)
    }
    return complete
  }

  /// The names that have no column and had nothing but nulls.
  private var untypedNames: [String] {
    settled.new.filter { !strangers[$0].isKnown }.map { names.name($0) }
  }

  /// Which names own which columns, those that were met among them.
  private var owners: ColumnOwners {
    var (owners, found) = settled
    found.removeAll { !strangers[$0].isKnown }
    for (id, column) in zip(found, columns(of: found, &owners)) {
      owners.note(strangers[id].kinds(in: strangers[id].type).names, of: column)
    }
    for (field, kinds) in zip(schema.fields, notes.kinds) { owners.note(kinds.names, of: field.name) }
    return owners
  }

  private func columns(of ids: [Int], _ owners: inout ColumnOwners) -> [String] {
    ColumnName.columns(
      ids.map { names.name($0) }, origin, preferred: preferred, besides: schema, &owners)
  }

  /// The owners of the columns whose owners were not known, by the names that came, and the names without column.
  private var settled: (owners: ColumnOwners, new: [Int]) {
    var new: [Int] = []
    var met: [Int: [Int]] = [:]
    for id in strangers.indices where strangers[id].count > 0 {
      let column = Int(columns[id])
      if column == -1 { new.append(id) } else if column < -1 { met[-2 - column, default: []].append(id) }
    }
    var owners = claims.owners
    for (column, ids) in met {
      let named = ids.map { (id: $0, name: names.name($0)) }
      let owner = claims.settle(column, named.map(\.name), &owners)
      new += named.filter { ExactText($0.name) != ExactText(owner) }.map(\.id)
    }
    return (owners, new.sorted())
  }
}
