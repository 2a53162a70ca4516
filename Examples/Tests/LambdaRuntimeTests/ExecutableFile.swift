/// What an executable asks of the system that runs it, read from its ELF (System V ABI, and its "Symbol Versioning").
struct ExecutableFile {
  /// Whether the system's loader must load libraries for it.
  private(set) var isDynamic = false
  /// The libraries.
  private(set) var libraries: [String] = []
  /// The versions of their symbols, such as `GLIBC_2.34`.
  private(set) var versions: [String] = []

  private struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  private struct Segment {
    var type: Int
    var offset: Int
    var address: Int
    var size: Int
  }

  private let bytes: [UInt8]

  /// Reads an executable for 64 bits, least significant byte first.
  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else {
      throw Malformed(description: "no ELF of 64 bits")
    }
    let (table, size, count) = (try number(32, 8), try number(54, 2), try number(56, 2))
    let segments = try (0..<count).map { index in
      let start = table + index * size
      return Segment(
        type: try number(start, 4), offset: try number(start + 8, 8), address: try number(start + 16, 8),
        size: try number(start + 32, 8))
    }
    // A static executable that can be loaded anywhere has a dynamic section, too, but no interpreter.
    isDynamic = segments.contains { $0.type == 3 }
    guard let dynamic = segments.first(where: { $0.type == 2 }) else { return }
    var entries: [(tag: Int, value: Int)] = []
    for start in stride(from: dynamic.offset, to: dynamic.offset + dynamic.size, by: 16) {
      let tag = try number(start, 8)
      if tag == 0 { break }
      entries.append((tag, try number(start + 8, 8)))
    }
    let place = { (tag: Int) -> Int? in
      guard let address = entries.first(where: { $0.tag == tag })?.value else { return nil }
      let segment = segments.first {
        $0.type == 1 && $0.address <= address && address < $0.address + $0.size
      }
      return segment.map { address - $0.address + $0.offset }
    }
    guard let names = place(5) else { return }
    libraries = try entries.filter { $0.tag == 1 }.map { try text(names + $0.value) }
    guard var need = place(0x6fff_fffe) else { return }
    while true {
      var auxiliary = need + (try number(need + 8, 4))
      for _ in 0..<(try number(need + 2, 2)) {
        versions.append(try text(names + (try number(auxiliary + 8, 4))))
        auxiliary += try number(auxiliary + 12, 4)
      }
      let next = try number(need + 12, 4)
      if next == 0 { return }
      need += next
    }
  }

  private func number(_ offset: Int, _ count: Int) throws -> Int {
    guard offset >= 0, offset <= bytes.count - count else {
      throw Malformed(description: "it ends at \(offset)")
    }
    let value = bytes[offset..<offset + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: value & 0x7fff_ffff_ffff_ffff) else {
      throw Malformed(description: "\(value)")
    }
    return number
  }

  private func text(_ offset: Int) throws -> String {
    guard bytes.indices.contains(offset) else { throw Malformed(description: "a name at \(offset)") }
    return String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self)
  }
}
