import TarnBytes
import TarnColumns

/// Encodes values of a fixed size.
struct FixedEncoder<Value: FixedValue>: PageEncoder {
  /// Bytes of a stored value.
  private let width: Int
  /// What lies within the column's type, where that is less than the layout holds.
  private let isAllowed: @Sendable (Value, Value) -> Bool
  private var policy: DictionaryPolicy
  private var state = DictionaryState.undecided
  private var entries: [Value] = []
  private var index = HashIndex()
  private var dense: [Value] = []
  private var indices: [UInt32] = []
  private var collectsHashes = false
  private var collected: [UInt64] = []

  init(
    width: Int, _ choice: ParquetWriteOptions.EncodingChoice,
    isAllowed: @escaping @Sendable (Value, Value) -> Bool = { _, _ in true }
  ) {
    self.width = width
    self.isAllowed = isAllowed
    policy = DictionaryPolicy(choice)
  }

  var isDecided: Bool { state.isDecided }
  var dictionaryCount: Int { entries.count }
  var dictionaryByteCount: Int { entries.count * width }

  mutating func encode(
    _ column: Column, _ rows: ValueRows, cells: Int, _ compressor: inout PageCompressor,
    into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues {
    let values = try Self.values(column)
    switch rows {
    case .range(let range):
      return try encode(values.span.extracting(range), cells, &compressor, into: &out)
    case .chosen(let rows):
      var dense = self.dense
      self.dense = []
      defer { self.dense = dense }
      dense.removeAll(keepingCapacity: true)
      dense.reserveCapacity(rows.count)
      for row in rows { dense.append(values[Int(row)]) }
      return try encode(dense.span, cells, &compressor, into: &out)
    }
  }

  private static func values(_ column: Column) throws(FormatError) -> [Value] {
    guard let values = Value.values(of: column.values) else {
      throw .malformed("a column has another layout than its type")
    }
    return values
  }

  /// The least and the greatest value, once both are known to be the column's type.
  private func range(_ values: Span<Value>) throws(FormatError) -> (Value, Value)? {
    let range = Value.bounds(values)
    if let range, !isAllowed(range.0, range.1) {
      throw .outOfRange("a value has more digits than the column's type allows")
    }
    return range
  }

  private mutating func encode(
    _ values: Span<Value>, _ cells: Int, _ compressor: inout PageCompressor, into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues {
    if values.count == 0, case .direct = state { return EncodedValues(encoding: .plain) }
    let bounds = try range(values).map { EncodedBounds(minimum: stored($0.0), maximum: stored($0.1)) }
    if state.mayHaveDictionary, policy.triesDictionary {
      let before = entries.count
      Self.look(up: values, &entries, &index, &indices)
      var pays = policy.keeps(
        entries: entries.count, bytes: dictionaryByteCount, count: values.count, cells: cells)
      if pays, !state.isDecided { pays = try !prefersDelta(values, &compressor) }
      if pays {
        state = .dictionary
        out.appendIndices(indices.span, entries: entries.count)
        return EncodedValues(encoding: .rleDictionary, bounds: bounds)
      }
      // No more values are looked up, and room that is kept would be many bytes where columns are many.
      entries = Array(entries.prefix(before))
      index = HashIndex()
      indices = []
    }
    if collectsHashes { for row in values.indices { collect(values[row]) } }
    if state.mayHaveDictionary { state = .direct(try choose(values, &compressor)) }
    guard case .direct(.deltaBinaryPacked) = state else {
      Self.appendPlain(values, width, to: &out)
      return EncodedValues(encoding: .plain, bounds: bounds)
    }
    Value.appendDelta(values, to: &out)
    return EncodedValues(encoding: .deltaBinaryPacked, bounds: bounds)
  }

  /// Whether differences take less room than the dictionary that a first page has made.
  ///
  /// Where entries are few they are shared by the pages to come, and not compared.
  private func prefersDelta(
    _ values: Span<Value>, _ compressor: inout PageCompressor
  ) throws(FormatError) -> Bool {
    guard Value.hasDelta, policy.choice == .automatic, entries.count * 8 > values.count else { return false }
    var delta: [UInt8] = []
    Value.appendDelta(values, to: &delta)
    var page: [UInt8] = []
    page.appendIndices(indices.span, entries: entries.count)
    Self.appendPlain(entries.span, width, to: &page)
    return try compressor.size(of: delta) < compressor.size(of: page)
  }

  /// Decides by the compressed size of a page; DELTA_BINARY_PACKED must save something, as it takes longer.
  private func choose(
    _ values: Span<Value>, _ compressor: inout PageCompressor
  ) throws(FormatError) -> Encoding {
    guard Value.hasDelta, policy.choice != .plain else { return .plain }
    if policy.choice == .delta { return .deltaBinaryPacked }
    var delta: [UInt8] = []
    Value.appendDelta(values, to: &delta)
    var plain: [UInt8] = []
    Self.appendPlain(values, width, to: &plain)
    return try compressor.size(of: delta) * 20 < compressor.size(of: plain) * 19 ? .deltaBinaryPacked : .plain
  }

  /// Finds the values' positions among the entries, and adds those that are not there.
  private static func look(
    up values: Span<Value>, _ entries: inout [Value], _ index: inout HashIndex, _ indices: inout [UInt32]
  ) {
    indices.removeAll(keepingCapacity: true)
    indices.reserveCapacity(values.count)
    for row in values.indices {
      let value = values[unchecked: row]
      let found = index.findOrInsert(
        hash: value.hash, position: entries.count, where: { entries[$0].isSame(value) },
        hashOf: { entries[$0].hash })
      if found == nil { entries.append(value) }
      indices.append(UInt32(truncatingIfNeeded: found ?? entries.count &- 1))
    }
  }

  private static func appendPlain(_ values: Span<Value>, _ width: Int, to out: inout [UInt8]) {
    let total = values.count * width
    out.append(addingCapacity: total) { span in
      span.withUnsafeMutableBufferPointer { target, count in
        guard let base = target.baseAddress else { return }
        let raw = UnsafeMutableRawPointer(base)
        for row in values.indices { values[unchecked: row].store(raw + row &* width, width) }
        count = total
      }
    }
  }

  private func stored(_ value: Value) -> [UInt8] { value.stored(width: width) }

  private func hash(_ value: Value) -> UInt64 {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      value.store(base, width)
      return XXH64.hash(UnsafeRawBufferPointer(start: base, count: width))
    }
  }

  var patchable: PatchableValues? { .fixed(width: width) }

  func plain(
    _ column: Column, _ rows: [Int32], areWritten: Bool
  ) throws(FormatError) -> (values: [UInt8], bounds: EncodedBounds?) {
    let all = try Self.values(column)
    let chosen = rows.map { all[Int($0)] }
    var values: [UInt8] = []
    Self.appendPlain(chosen.span, width, to: &values)
    let bounds = try range(chosen.span).map {
      EncodedBounds(minimum: stored($0.0), maximum: stored($0.1))
    }
    return (values, bounds)
  }

  mutating func entries(of column: Column, _ rows: [Int32]) throws(FormatError) -> [UInt32]? {
    let all = try Self.values(column)
    let most = entries.count + rows.count
    guard case .dictionary = state, policy.allows(entries: most, bytes: most * width) else { return nil }
    let chosen = rows.map { all[Int($0)] }
    Self.look(up: chosen.span, &entries, &index, &indices)
    return indices
  }

  func entry(_ position: Int) -> [UInt8] { stored(entries[position]) }

  func dictionaryPage() -> [UInt8] {
    var out: [UInt8] = []
    Self.appendPlain(entries.span, width, to: &out)
    return out
  }

  mutating func adopt(dictionary: RawSpan, count: Int) throws(FormatError) {
    guard count <= dictionary.byteCount / width else {
      throw .malformed("a dictionary holds fewer entries than it declares")
    }
    var stored: [Value] = []
    stored.reserveCapacity(count)
    dictionary.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for index in 0..<count { stored.append(Value.load(base + index * width, width)) }
    }
    entries = stored
    // An entry that occurs twice stays, since pages may refer to either.
    for position in stored.indices {
      _ = index.findOrInsert(
        hash: stored[position].hash, position: position, where: { stored[$0].isSame(stored[position]) },
        hashOf: { stored[$0].hash })
    }
    policy.adopt(entries: count, bytes: count * width)
    state = .dictionary
  }

  mutating func settle(_ encoding: Encoding) {
    state = .direct(encoding == .deltaBinaryPacked && !Value.hasDelta ? .plain : encoding)
  }

  mutating func collectHashes() { collectsHashes = true }

  private mutating func collect(_ value: Value) {
    collected.append(hash(value))
    for other in value.equals { collected.append(hash(other)) }
  }

  func hashes() -> [UInt64] {
    guard collectsHashes else { return [] }
    // Whoever asks for a value looks for the bytes of one of its forms.
    return collected + entries.flatMap { entry in [hash(entry)] + entry.equals.map { hash($0) } }
  }

  mutating func reset() {
    state = .undecided
    entries.removeAll(keepingCapacity: true)
    index.removeAll()
    policy.reset()
    collected.removeAll(keepingCapacity: true)
  }
}
