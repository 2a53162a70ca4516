/// Files of one column and one page, in encodings that Tarn reads and does not write, made byte by byte.
///
/// The numbers are those of `parquet.thrift`.
enum RawFile {
  /// A page of eight rows.
  private struct Page {
    var type: Int
    var length: Int?
    var encoding: Int
    var body: [UInt8]
    var isOptional = false
    /// How definition levels are encoded in pages of version 1.
    var levels = 3
    /// Bytes of definition levels, in a page of version 2.
    var levelBytes: Int?
  }

  static var all: [[UInt8]] { pages.map(file) }

  private static var pages: [Page] {
    let numbers = (0..<64).map { UInt8($0 * 3) }
    // Eight numbers of which each is as the one before: no block has bits.
    func same(_ number: UInt8) -> [UInt8] { [0x80, 0x01, 4, 8, number << 1, 0, 0, 0, 0, 0] }
    let strings = same(1) + Array("abcdefgh".utf8)
    return [
      // BYTE_STREAM_SPLIT.
      Page(type: 1, encoding: 9, body: Array(numbers.prefix(32))),
      Page(type: 5, encoding: 9, body: numbers),
      Page(type: 7, length: 3, encoding: 9, body: Array(numbers.prefix(24))),
      // DELTA_BYTE_ARRAY: lengths of prefixes, then suffixes as in DELTA_LENGTH_BYTE_ARRAY.
      Page(type: 6, encoding: 7, body: same(0) + strings),
      Page(type: 6, encoding: 6, body: strings),
      Page(type: 7, length: 1, encoding: 7, body: same(0) + strings),
      // DELTA_BINARY_PACKED.
      Page(type: 2, encoding: 5, body: same(7)),
      // RLE of booleans: their length, and a run of eight.
      Page(type: 0, encoding: 3, body: [2, 0, 0, 0, 16, 1]),
      // BIT_PACKED levels: half of the rows are null.
      Page(type: 1, encoding: 0, body: [0xf0] + numbers.prefix(16), isOptional: true, levels: 4),
      // INT96.
      Page(type: 3, encoding: 0, body: numbers + numbers.prefix(32)),
      // Pages of version 2.
      Page(type: 1, encoding: 9, body: [16, 1] + numbers.prefix(32), isOptional: true, levelBytes: 2),
      Page(type: 0, encoding: 3, body: [16, 1, 2, 0, 0, 0, 16, 1], isOptional: true, levelBytes: 2),
      Page(type: 6, encoding: 7, body: same(0) + strings, levelBytes: 0),
    ]
  }

  private static func file(_ page: Page) -> [UInt8] {
    let size = page.body.count
    var header = Compact()
    header.int(1, page.levelBytes == nil ? 0 : 3)
    header.int(2, size)
    header.int(3, size)
    header.structure(page.levelBytes == nil ? 5 : 8) {
      $0.int(1, 8)
      if let levelBytes = page.levelBytes {
        $0.int(2, 0)
        $0.int(3, 8)
        $0.int(4, page.encoding)
        $0.int(5, levelBytes)
        $0.int(6, 0)
        $0.no(7)
      } else {
        $0.int(2, page.encoding)
        $0.int(3, page.levels)
        $0.int(4, 3)
      }
    }
    let pages = header.ended + page.body
    let footer = footer(page, pages.count)
    let magic = Array("PAR1".utf8)
    return magic + pages + footer + [UInt8(footer.count), 0, 0, 0] + magic
  }

  private static func footer(_ page: Page, _ size: Int) -> [UInt8] {
    var footer = Compact()
    footer.int(1, 1)
    footer.list(2, of: 12, 2)
    footer.element {
      $0.text(4, "m")
      $0.int(5, 1)
    }
    footer.element {
      $0.int(1, page.type)
      if let length = page.length { $0.int(2, length) }
      $0.int(3, page.isOptional ? 1 : 0)
      $0.text(4, "c")
    }
    footer.int(3, 8, wide: true)
    footer.list(4, of: 12, 1)
    footer.element {
      $0.list(1, of: 12, 1)
      $0.element {
        $0.int(2, 4, wide: true)
        $0.structure(3) {
          $0.int(1, page.type)
          $0.list(2, of: 5, 1)
          $0.number(page.encoding)
          $0.list(3, of: 8, 1)
          $0.bytes += [1] + Array("c".utf8)
          $0.int(4, 0)
          for (field, value) in [(5, 8), (6, size), (7, size), (9, 4)] { $0.int(field, value, wide: true) }
        }
      }
      $0.int(2, size, wide: true)
      $0.int(3, 8, wide: true)
    }
    return footer.ended
  }
}

/// Writes Thrift's compact protocol.
private struct Compact {
  var bytes: [UInt8] = []
  private var last = 0

  var ended: [UInt8] { bytes + [0] }

  private mutating func field(_ id: Int, _ type: UInt8) {
    bytes.append(UInt8(id - last) << 4 | type)
    last = id
  }

  /// A number that is not negative.
  mutating func number(_ value: Int) {
    var rest = value << 1
    while rest > 0x7f {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func int(_ id: Int, _ value: Int, wide: Bool = false) {
    field(id, wide ? 6 : 5)
    number(value)
  }

  mutating func no(_ id: Int) { field(id, 2) }

  mutating func text(_ id: Int, _ text: String) {
    field(id, 8)
    bytes += [UInt8(text.utf8.count)] + Array(text.utf8)
  }

  mutating func list(_ id: Int, of type: UInt8, _ count: Int) {
    field(id, 9)
    bytes.append(UInt8(count) << 4 | type)
  }

  mutating func element(_ body: (inout Compact) -> Void) {
    var inner = Compact()
    body(&inner)
    bytes += inner.ended
  }

  mutating func structure(_ id: Int, _ body: (inout Compact) -> Void) {
    field(id, 12)
    element(body)
  }
}
