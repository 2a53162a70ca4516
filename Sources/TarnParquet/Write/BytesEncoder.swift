import TarnBytes
import TarnColumns

/// Encodes strings and binary.
struct BytesEncoder: PageEncoder {
  private let isText: Bool
  private var state = DictionaryState.undecided
  private var entries = ByteStrings()
  private var index = HashIndex()
  private var range = ByteBounds()
  private var rows: [Int32] = []
  private var indices: [UInt32] = []

  init(isText: Bool) { self.isText = isText }

  var isDecided: Bool { state != .undecided }
  var dictionaryCount: Int { entries.count }
  var dictionaryByteCount: Int { entries.bytes.count + 4 * entries.count }

  mutating func encode(
    _ column: Column, _ range: Range<Int>, valid: Int, into out: inout [UInt8]
  ) throws(FormatProblem) -> Encoding {
    guard let strings = column.strings else {
      throw .malformed("a column has another layout than its type")
    }
    rows.removeAll(keepingCapacity: true)
    for row in range where valid == range.count || !column.isNull(row) {
      rows.append(Int32(truncatingIfNeeded: row))
    }
    if state != .plain {
      let before = entries
      do {
        try Self.look(up: strings, rows, &entries, &index, &indices)
      } catch {
        throw .outOfRange(error.description)
      }
      state.decide(entries: entries.count, bytes: dictionaryByteCount, pageValues: rows.count)
      if state == .dictionary {
        self.range.note(entries, before.count..<entries.count)
        out.appendIndices(indices.span, entries: entries.count)
        return .rleDictionary
      }
      entries = before
      index.removeAll()
    }
    self.range.note(strings, rows)
    Self.appendPlain(strings, rows, to: &out)
    return .plain
  }

  /// Finds the strings' positions among the entries, and adds those that are not there.
  private static func look(
    up strings: ByteStrings, _ rows: [Int32], _ entries: inout ByteStrings, _ index: inout HashIndex,
    _ indices: inout [UInt32]
  ) throws(ColumnError) {
    indices.removeAll(keepingCapacity: true)
    indices.reserveCapacity(rows.count)
    var last: UInt32 = 0
    var lastRow = -1
    for position in rows {
      let row = Int(position)
      // Equal strings often follow one another.
      if lastRow < 0 || !strings.equals(row, strings, lastRow) {
        let found = index.findOrInsert(
          hash: strings.hash(row), position: entries.count, where: { entries.equals($0, strings, row) },
          hashOf: { entries.hash($0) })
        if found == nil { try entries.append(strings[row]) }
        last = UInt32(truncatingIfNeeded: found ?? entries.count &- 1)
        lastRow = row
      }
      indices.append(last)
    }
  }

  private static func appendPlain(_ strings: ByteStrings, _ rows: [Int32], to out: inout [UInt8]) {
    var total = 4 * rows.count
    for row in rows { total &+= strings.length(Int(row)) }
    let source = strings.bytes
    // Room behind the last string, so that short ones are copied sixteen bytes at once.
    out.append(addingCapacity: total + 16) { span in
      span.withUnsafeMutableBufferPointer { target, count in
        let raw = UnsafeMutableRawBufferPointer(target)
        var position = 0
        for row in rows {
          let part = strings.range(Int(row))
          raw.storeBytes(of: UInt32(part.count).littleEndian, toByteOffset: position, as: UInt32.self)
          copyBytes(source.span.bytes, part.lowerBound, part.count, raw, position &+ 4)
          position &+= 4 &+ part.count
        }
        count = total
      }
    }
  }

  func dictionaryPage() -> [UInt8] {
    var out: [UInt8] = []
    Self.appendPlain(entries, (0..<entries.count).map { Int32(truncatingIfNeeded: $0) }, to: &out)
    return out
  }

  func bounds() -> EncodedBounds? { range.encoded(isText: isText) }

  mutating func reset() {
    state = .undecided
    entries.removeAll()
    index.removeAll()
    range = ByteBounds()
  }
}
