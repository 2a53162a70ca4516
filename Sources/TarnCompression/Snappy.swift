/// The raw snappy block format, as `format_description.txt` of snappy 1.1 lays it down.
enum Snappy {
  /// Decompresses a block into exactly `output`.
  static func decompress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) {
    var position = 0
    let declared = try length(input, &position)
    guard declared == output.count else {
      throw .sizeMismatch("snappy", expected: output.count, found: declared)
    }
    var produced = 0
    while position < input.count {
      let tag = input[position]
      position += 1
      if tag & 3 == 0 {
        let count = try literalLength(tag, input, &position)
        guard count <= input.count - position, count <= output.count - produced else { throw damaged }
        UnsafeMutableRawBufferPointer(rebasing: output[produced..<produced + count])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[position..<position + count]))
        position += count
        produced += count
      } else {
        let (count, offset) = try copy(tag, input, &position)
        guard offset > 0, offset <= produced, count <= output.count - produced else { throw damaged }
        Repetition.copy(output, produced, count, offset)
        produced += count
      }
    }
    guard produced == output.count else {
      throw .sizeMismatch("snappy", expected: output.count, found: produced)
    }
  }

  /// How many bytes a block says that it holds.
  static func declaredLength(_ input: UnsafeRawBufferPointer) throws(CompressionError) -> Int {
    var position = 0
    return try length(input, &position)
  }

  private static var damaged: CompressionError { CompressionError(.malformed, "snappy data is damaged") }

  private static func littleEndian(
    _ input: UnsafeRawBufferPointer, _ position: inout Int, _ count: Int
  ) throws(CompressionError) -> Int {
    guard count <= input.count - position else {
      throw CompressionError(.truncated, "snappy data ends in the middle")
    }
    var value = 0
    for index in 0..<count { value |= Int(input[position + index]) << (8 * index) }
    position += count
    return value
  }

  private static func length(
    _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(CompressionError) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 35, by: 7) {
      let byte = try littleEndian(input, &position, 1)
      value |= (byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw damaged
  }

  private static func literalLength(
    _ tag: UInt8, _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(CompressionError) -> Int {
    let short = Int(tag >> 2)
    return short < 60 ? short + 1 : try littleEndian(input, &position, short - 59) + 1
  }

  private static func copy(
    _ tag: UInt8, _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(CompressionError) -> (count: Int, offset: Int) {
    switch tag & 3 {
    case 1:
      let low = try littleEndian(input, &position, 1)
      return (Int(tag >> 2 & 7) + 4, Int(tag >> 5) << 8 | low)
    case 2: return (Int(tag >> 2) + 1, try littleEndian(input, &position, 2))
    default: return (Int(tag >> 2) + 1, try littleEndian(input, &position, 4))
    }
  }
}
