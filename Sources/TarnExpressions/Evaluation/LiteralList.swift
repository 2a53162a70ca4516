internal import TarnBytes
import TarnColumns

/// The values of an `in`, made ready once, so that a row costs one look-up however many they are.
struct LiteralList {
  /// The numbers, as ``WholeKeyed`` has them.
  private var numbers: [Int128] = []
  private var strings = ByteStrings()
  private var index: HashIndex

  /// Makes a list for a column.
  ///
  /// - Throws: ``ExpressionError`` where a value does not fit the column.
  init(_ literals: [Literal], for field: Field) throws(ExpressionError) {
    index = HashIndex(expected: literals.count)
    for literal in literals {
      if let value = ExactValue(literal, type: field.type) {
        // What lies between two values of the column equals none of them.
        if !value.isBetween { numbers.append(value.floor) }
        continue
      }
      let column = try literal.column(for: field)
      switch column.values {
      case .boolean(let bits): numbers.append(bits[0] ? 1 : 0)
      case .int32(let days): numbers.append(Int128(days[0]))
      case .float(let list): numbers.append(Int128(list[0].wholeKey))
      case .double(let list): numbers.append(Int128(list[0].wholeKey))
      default: if let text = column.strings { try add(text) }
      }
    }
  }

  private mutating func add(_ text: ByteStrings) throws(ExpressionError) {
    let known = strings
    let new = index.findOrInsert(
      hash: text.hash(0), position: strings.count, where: { known.equals($0, text, 0) },
      hashOf: { known.hash($0) })
    guard new == nil else { return }
    do { try strings.append(text, 0..<1) } catch { throw ExpressionError(.tooLarge, error.description) }
  }

  @inline(__always)
  private func contains(_ values: ByteStrings, _ row: Int) -> Bool {
    index.find(hash: values.hash(row), where: { strings.equals($0, values, row) }) != nil
  }

  /// The rows whose values are in the list.
  func rows(of column: Column) -> Bitmap {
    switch column.values {
    case .boolean(let bits):
      let none = Bitmap(count: bits.count)
      return (numbers.contains(1) ? bits : none).union(numbers.contains(0) ? bits.inverted : none)
    case .int8(let values): return rows(values)
    case .int16(let values): return rows(values)
    case .int32(let values): return rows(values)
    case .int64(let values): return rows(values)
    case .float(let values): return rows(values)
    case .double(let values): return rows(values)
    case .decimal(let values): return rows(values)
    case .bytes(let values): return Bitmap(count: values.count) { contains(values, $0) }
    case .dictionary(let values): return values.rows { contains($0, $1) }
    case .list, .map, .structure: return Bitmap(count: column.count)
    }
  }

  private func rows<Value: WholeKeyed>(_ values: [Value]) -> Bitmap {
    let keys = KeySet<Value.Key>(numbers)
    return Bitmap(count: values.count) { keys.contains(values[$0].wholeKey) }
  }
}

/// Whole numbers among which others are looked for.
private struct KeySet<Key: FixedWidthInteger> {
  private let keys: [Key]
  private var index: HashIndex
  /// Up to how many are compared one by one.
  private static var few: Int { 8 }

  /// Those of some numbers that the type has.
  init(_ numbers: [Int128]) {
    keys = Array(Set(numbers)).compactMap { Key(exactly: $0) }
    index = HashIndex(expected: keys.count)
    guard keys.count > Self.few else { return }
    for (position, key) in keys.enumerated() {
      // No two keys are equal, so there is nothing to compare with.
      _ = index.findOrInsert(
        hash: Self.hash(key), position: position, where: { _ in false },
        hashOf: { [keys] in Self.hash(keys[$0]) })
    }
  }

  @inline(__always)
  private static func hash(_ key: Key) -> UInt64 {
    let low = UInt64(truncatingIfNeeded: key)
    let word =
      (low ^ (Key.bitWidth > 64 ? UInt64(truncatingIfNeeded: key >> 64) : 0)) &* 0x9e37_79b9_7f4a_7c15
    return word ^ word >> 32
  }

  @inline(__always)
  func contains(_ key: Key) -> Bool {
    if keys.count <= Self.few {
      for known in keys where known == key { return true }
      return false
    }
    return index.find(hash: Self.hash(key), where: { keys[$0] == key }) != nil
  }
}

/// Values that are told apart by whole numbers.
private protocol WholeKeyed {
  associatedtype Key: FixedWidthInteger
  /// A number that equal values have, and no others.
  var wholeKey: Key { get }
}

extension WholeKeyed where Self: FixedWidthInteger {
  fileprivate var wholeKey: Self { self }
}

extension Int8: WholeKeyed {}
extension Int16: WholeKeyed {}
extension Int32: WholeKeyed {}
extension Int64: WholeKeyed {}
extension Int128: WholeKeyed {}

extension Float: WholeKeyed {
  // The zeros are alike, and so is all that is no number.
  fileprivate var wholeKey: UInt32 { isNaN ? Float.nan.bitPattern : (self == 0 ? 0 : bitPattern) }
}

extension Double: WholeKeyed {
  fileprivate var wholeKey: UInt64 { isNaN ? Double.nan.bitPattern : (self == 0 ? 0 : bitPattern) }
}
