import TarnBytes
import TarnColumns

/// Encodes values of a fixed size.
struct FixedEncoder<Value: FixedValue>: PageEncoder {
  /// Bytes of a stored value.
  private let width: Int
  /// What lies within the column's type, where that is less than the layout holds.
  private let isAllowed: @Sendable (Value, Value) -> Bool
  private var state = DictionaryState.undecided
  private var entries: [Value] = []
  private var index = HashIndex()
  private var range: (Value, Value)?
  private var dense: [Value] = []
  private var indices: [UInt32] = []

  init(width: Int, isAllowed: @escaping @Sendable (Value, Value) -> Bool = { _, _ in true }) {
    self.width = width
    self.isAllowed = isAllowed
  }

  var isDecided: Bool { state != .undecided }
  var dictionaryCount: Int { entries.count }
  var dictionaryByteCount: Int { entries.count * width }

  mutating func encode(
    _ column: Column, _ rows: Range<Int>, valid: Int, into out: inout [UInt8]
  ) throws(FormatProblem) -> Encoding {
    guard let values = Value.values(of: column.values) else {
      throw .malformed("a column has another layout than its type")
    }
    if valid == rows.count {
      return try encode(values.span.extracting(rows), into: &out)
    }
    var dense = self.dense
    self.dense = []
    dense.removeAll(keepingCapacity: true)
    for row in rows where !column.isNull(row) { dense.append(values[row]) }
    defer { self.dense = dense }
    return try encode(dense.span, into: &out)
  }

  private mutating func encode(
    _ values: Span<Value>, into out: inout [UInt8]
  ) throws(FormatProblem) -> Encoding {
    if let bounds = Value.bounds(values) {
      guard isAllowed(bounds.0, bounds.1) else {
        throw .outOfRange("a value has more digits than the column's type allows")
      }
      range = range.map { Value.join($0, bounds) } ?? bounds
    }
    if state != .plain {
      let before = entries.count
      Self.look(up: values, &entries, &index, &indices)
      state.decide(entries: entries.count, bytes: dictionaryByteCount, pageValues: values.count)
      if state == .dictionary {
        out.appendIndices(indices.span, entries: entries.count)
        return .rleDictionary
      }
      entries.removeLast(entries.count - before)
      index.removeAll()
    }
    Self.appendPlain(values, width, to: &out)
    return .plain
  }

  /// Finds the values' positions among the entries, and adds those that are not there.
  private static func look(
    up values: Span<Value>, _ entries: inout [Value], _ index: inout HashIndex, _ indices: inout [UInt32]
  ) {
    indices.removeAll(keepingCapacity: true)
    indices.reserveCapacity(values.count)
    for row in values.indices {
      let value = values[row]
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
        for row in values.indices { values[row].store(raw + row &* width, width) }
        count = total
      }
    }
  }

  func dictionaryPage() -> [UInt8] {
    var out: [UInt8] = []
    Self.appendPlain(entries.span, width, to: &out)
    return out
  }

  func bounds() -> EncodedBounds? {
    guard let range else { return nil }
    var minimum: [UInt8] = []
    var maximum: [UInt8] = []
    Self.appendPlain([range.0].span, width, to: &minimum)
    Self.appendPlain([range.1].span, width, to: &maximum)
    return EncodedBounds(minimum: minimum, maximum: maximum)
  }

  mutating func reset() {
    state = .undecided
    entries.removeAll(keepingCapacity: true)
    index.removeAll()
    range = nil
  }
}
