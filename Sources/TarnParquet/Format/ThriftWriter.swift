import TarnBytes

/// Writes Thrift's compact protocol.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var last = 0
  private var outer: [Int] = []

  /// Takes memory for so many bytes.
  mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  private mutating func header(_ id: Int, _ wire: ThriftReader.Wire) {
    let delta = id - last
    if delta > 0, delta < 16 {
      bytes.append(UInt8(delta) << 4 | wire.rawValue)
    } else {
      bytes.append(wire.rawValue)
      bytes.appendZigZag(Int64(id))
    }
    last = id
  }

  mutating func int32(_ id: Int, _ value: Int) {
    header(id, .int32)
    bytes.appendZigZag(Int64(value))
  }

  mutating func int64(_ id: Int, _ value: Int) {
    header(id, .int64)
    bytes.appendZigZag(Int64(value))
  }

  mutating func int16(_ id: Int, _ value: Int) {
    header(id, .int16)
    bytes.appendZigZag(Int64(value))
  }

  mutating func byte(_ id: Int, _ value: Int8) {
    header(id, .byte)
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func bool(_ id: Int, _ value: Bool) { header(id, value ? .yes : .no) }

  mutating func text(_ id: Int, _ value: String) {
    header(id, .binary)
    bytes.appendVarint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  /// Changes some of the last bytes, so many of which are lent.
  mutating func change(last count: Int, _ body: (inout [UInt8], Int) -> Void) {
    let start = bytes.count - count
    body(&bytes, start)
  }

  mutating func binary(_ id: Int, _ value: [UInt8]) {
    header(id, .binary)
    element(value)
  }

  /// Writes a nested structure.
  mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
    header(id, .structure)
    element(body)
  }

  /// Writes the header of a list, whose elements must follow.
  mutating func list(_ id: Int, _ wire: ThriftReader.Wire, count: Int) {
    header(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | wire.rawValue)
    } else {
      bytes.append(0xf0 | wire.rawValue)
      bytes.appendVarint(UInt64(count))
    }
  }

  /// Writes a structure as an element of a list.
  mutating func element(_ body: (inout ThriftWriter) -> Void) {
    outer.append(last)
    last = 0
    body(&self)
    bytes.append(0)
    last = outer.removeLast()
  }

  /// Writes a boolean of a list, whose elements are declared as `yes`.
  mutating func element(_ value: Bool) {
    bytes.append((value ? ThriftReader.Wire.yes : .no).rawValue)
  }

  mutating func element(_ value: Int) { bytes.appendZigZag(Int64(value)) }

  mutating func element(_ value: [UInt8]) {
    bytes.appendVarint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Ends the outermost structure.
  mutating func end() { bytes.append(0) }
}
