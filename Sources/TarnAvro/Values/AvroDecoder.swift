import TarnBytes

/// Reads values from bytes, by the schema that they were written with.
///
/// Nothing that the bytes declare is believed before the bytes are seen to be there: memory is taken value by
/// value, nesting is bounded, and so is how many values may come from no bytes at all.
package struct AvroDecoder: Sendable {
  /// The layout of the values.
  package let layout: AvroLayout
  /// How deep values may be nested.
  static let depthLimit = 100
  /// How many values may take no bytes, as nulls in an array do: more are taken for damage.
  static let emptyLimit = 100_000

  /// Makes a decoder.
  package init(_ layout: AvroLayout) { self.layout = layout }

  /// Reads the next value.
  ///
  /// - Throws: ``AvroError`` with the offset of what is wrong.
  package func value(from reader: inout ByteReader) throws(AvroError) -> AvroValue {
    var walk = AvroWalk(layout)
    return try walk.value(layout.root, &reader, depth: 0)
  }

  /// Passes over the next value.
  ///
  /// - Throws: ``AvroError`` with the offset of what is wrong.
  package func skip(from reader: inout ByteReader) throws(AvroError) {
    var walk = AvroWalk(layout)
    try walk.skip(layout.root, &reader, depth: 0)
  }

  /// Reads some fields of the next record, and passes over the others.
  ///
  /// - Throws: ``AvroError`` with the offset of what is wrong; `unsupported` where the schema's values are no records.
  package func record(
    from reader: inout ByteReader, fields wanted: Set<String>
  ) throws(AvroError) -> AvroRecord {
    guard case .record(let type) = try layout.resolved(layout.root) else {
      throw AvroError(
        .unsupported, field: "", "a record is to be read, and the schema is of \(layout.root.name)")
    }
    var walk = AvroWalk(layout)
    var fields: [AvroValue.Entry] = []
    for field in type.fields {
      do {
        if wanted.contains(field.name) {
          fields.append(.init(field.name, try walk.value(field.type, &reader, depth: 1)))
        } else {
          try walk.skip(field.type, &reader, depth: 1)
        }
      } catch { throw error.within(field.name) }
    }
    return AvroRecord(type.fullName, fields)
  }
}

/// One walk over bytes, which counts the values that take none of them.
struct AvroWalk {
  let layout: AvroLayout
  private var empty = 0

  init(_ layout: AvroLayout) { self.layout = layout }

  /// Reads a value.
  mutating func value(
    _ type: AvroType, _ reader: inout ByteReader, depth: Int
  ) throws(AvroError) -> AvroValue {
    try checkDepth(depth, reader.offset)
    let start = reader.offset
    let value: AvroValue
    switch type {
    case .null: value = .null
    case .boolean: value = .boolean(try readBoolean(&reader))
    case .int: value = .int(try readInt(&reader))
    case .long: value = .long(try readLong(&reader))
    case .float: value = .float(Float(bitPattern: try readFixedWidth(&reader)))
    case .double: value = .double(Double(bitPattern: try readFixedWidth(&reader)))
    case .bytes: value = .bytes(try readBytes(&reader, try readLong(&reader)).copied())
    case .string: value = .string(try readText(&reader))
    case .fixed(let fixed): value = .fixed(try readBytes(&reader, Int64(fixed.size)).copied())
    case .enumeration(let enumeration): value = .enumeration(try readSymbol(enumeration, &reader))
    case .union(let branches):
      let branch = try readBranch(branches, &reader)
      // A null took its branch's number.
      value = branch == .null ? .null : try self.value(branch, &reader, depth: depth + 1)
    case .array(let element):
      var elements: [AvroValue] = []
      while let block = try nextBlock(&reader) {
        for _ in 0..<block.count { elements.append(try self.value(element, &reader, depth: depth + 1)) }
        try block.check(end: reader.offset)
      }
      value = .array(elements)
    case .map(let inner):
      var entries: [AvroValue.Entry] = []
      while let block = try nextBlock(&reader) {
        for _ in 0..<block.count {
          let key = try readText(&reader)
          do {
            entries.append(.init(key, try self.value(inner, &reader, depth: depth + 1)))
          } catch { throw error.within(key) }
        }
        try block.check(end: reader.offset)
      }
      value = .map(entries)
    case .record(let record):
      var fields: [AvroValue.Entry] = []
      fields.reserveCapacity(record.fields.count)
      for field in record.fields {
        do {
          fields.append(.init(field.name, try self.value(field.type, &reader, depth: depth + 1)))
        } catch { throw error.within(field.name) }
      }
      value = .record(AvroRecord(record.fullName, fields))
    case .named: return try self.value(try layout.resolved(type), &reader, depth: depth + 1)
    }
    try countEmpty(start, reader.offset)
    return value
  }

  /// Passes over a value, and over the blocks of arrays and maps by the size that they may tell.
  mutating func skip(_ type: AvroType, _ reader: inout ByteReader, depth: Int) throws(AvroError) {
    try checkDepth(depth, reader.offset)
    let start = reader.offset
    switch type {
    case .null: break
    case .boolean: _ = try readBoolean(&reader)
    case .int: _ = try readInt(&reader)
    case .long: _ = try readLong(&reader)
    case .float: _ = try readBytes(&reader, 4)
    case .double: _ = try readBytes(&reader, 8)
    case .bytes, .string: _ = try readBytes(&reader, try readLong(&reader))
    case .fixed(let fixed): _ = try readBytes(&reader, Int64(fixed.size))
    case .enumeration(let enumeration): _ = try readSymbol(enumeration, &reader)
    case .union(let branches):
      let branch = try readBranch(branches, &reader)
      if branch != .null { try skip(branch, &reader, depth: depth + 1) }
    case .array(let element):
      while let block = try nextBlock(&reader) {
        if let size = block.size {
          _ = try readBytes(&reader, size)
        } else {
          for _ in 0..<block.count { try skip(element, &reader, depth: depth + 1) }
        }
      }
    case .map(let inner):
      while let block = try nextBlock(&reader) {
        if let size = block.size {
          _ = try readBytes(&reader, size)
        } else {
          for _ in 0..<block.count {
            _ = try readBytes(&reader, try readLong(&reader))
            try skip(inner, &reader, depth: depth + 1)
          }
        }
      }
    case .record(let record):
      for field in record.fields {
        do { try skip(field.type, &reader, depth: depth + 1) } catch { throw error.within(field.name) }
      }
    case .named: return try skip(try layout.resolved(type), &reader, depth: depth + 1)
    }
    try countEmpty(start, reader.offset)
  }

  private func checkDepth(_ depth: Int, _ offset: Int) throws(AvroError) {
    guard depth <= AvroDecoder.depthLimit else {
      throw AvroError(.malformed, at: offset, "values are nested more than \(AvroDecoder.depthLimit) deep")
    }
  }

  private mutating func countEmpty(_ start: Int, _ end: Int) throws(AvroError) {
    guard start == end else { return }
    empty += 1
    guard empty <= AvroDecoder.emptyLimit else {
      throw AvroError(.malformed, at: end, "more than \(AvroDecoder.emptyLimit) values take no bytes")
    }
  }
}

// What values are made of.
extension AvroWalk {
  /// A part of an array or a map.
  private struct Block {
    let count: Int64
    /// Its size in bytes, where the writer told it.
    let size: Int64?
    let start: Int

    /// Checks that it was as long as it told.
    func check(end: Int) throws(AvroError) {
      guard let size, Int64(end - start) != size else { return }
      throw AvroError(
        .malformed, at: start, "a block of \(size) bytes was announced, and \(end - start) came")
    }
  }

  /// The head of the next block; nil behind the last.
  ///
  /// A negative count announces the block's size too.
  private func nextBlock(_ reader: inout ByteReader) throws(AvroError) -> Block? {
    let start = reader.offset
    let count = try readLong(&reader)
    guard count != 0 else { return nil }
    guard count < 0 else { return Block(count: count, size: nil, start: reader.offset) }
    let size = try readLong(&reader)
    guard count != .min, size >= 0, size <= Int64(reader.remaining) else {
      throw AvroError(.malformed, at: start, "a block of \(size) bytes, where \(reader.remaining) are left")
    }
    return Block(count: -count, size: size, start: reader.offset)
  }

  private func readBranch(_ branches: [AvroType], _ reader: inout ByteReader) throws(AvroError) -> AvroType {
    let start = reader.offset
    let number = try readLong(&reader)
    guard number >= 0, number < Int64(branches.count) else {
      throw AvroError(.malformed, at: start, "branch \(number) of a union that has \(branches.count)")
    }
    return branches[Int(number)]
  }

  private func readSymbol(
    _ enumeration: AvroType.Enumeration, _ reader: inout ByteReader
  ) throws(AvroError) -> String {
    let start = reader.offset
    let number = try readLong(&reader)
    guard number >= 0, number < Int64(enumeration.symbols.count) else {
      throw AvroError(
        .malformed, at: start, "symbol \(number) of an enumeration that has \(enumeration.symbols.count)")
    }
    return enumeration.symbols[Int(number)]
  }

  private func readBoolean(_ reader: inout ByteReader) throws(AvroError) -> Bool {
    let start = reader.offset
    let byte: UInt8
    do { byte = try reader.readByte() } catch { throw AvroError(error, "a boolean") }
    guard byte <= 1 else {
      throw AvroError(.malformed, at: start, "a boolean is 0 or 1, and this is \(byte)")
    }
    return byte == 1
  }

  private func readInt(_ reader: inout ByteReader) throws(AvroError) -> Int32 {
    let start = reader.offset
    let number = try readLong(&reader)
    guard let narrow = Int32(exactly: number) else {
      throw AvroError(.malformed, at: start, "an int has 32 bits, and \(number) has more")
    }
    return narrow
  }

  private func readLong(_ reader: inout ByteReader) throws(AvroError) -> Int64 {
    do { return try reader.readZigZag() } catch { throw AvroError(error, "a whole number") }
  }

  private func readFixedWidth<T: FixedWidthInteger & BitwiseCopyable>(
    _ reader: inout ByteReader
  ) throws(AvroError) -> T {
    do { return try reader.readLittleEndian() } catch { throw AvroError(error, "a floating number") }
  }

  private func readText(_ reader: inout ByteReader) throws(AvroError) -> String {
    let start = reader.offset
    let bytes = try readBytes(&reader, try readLong(&reader))
    guard UTF8Text.isValid(bytes) else { throw AvroError(.malformed, at: start, "a text is no UTF-8") }
    return bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  @_lifetime(copy reader)
  private func readBytes(_ reader: inout ByteReader, _ count: Int64) throws(AvroError) -> RawSpan {
    guard count >= 0, count <= Int64(reader.remaining) else {
      throw AvroError(
        .malformed, at: reader.offset, "\(count) bytes are announced, and \(reader.remaining) are left")
    }
    do { return try reader.readBytes(Int(count)) } catch { throw AvroError(error, "\(count) bytes") }
  }
}

extension AvroError {
  /// Says what was being read where bytes did not hold it.
  init(_ error: ByteError, _ wanted: String) {
    switch error {
    case .endOfInput(let offset): self.init(.malformed, at: offset, "the data ends where \(wanted) must be")
    case .integerTooLong(let offset): self.init(.malformed, at: offset, "a number of more than 64 bits")
    case .badLength(let offset): self.init(.malformed, at: offset, "the data ends within \(wanted)")
    }
  }
}
