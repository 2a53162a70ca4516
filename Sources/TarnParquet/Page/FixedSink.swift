import TarnColumns

/// Collects values of a fixed size.
struct FixedSink<Loader: PlainLoader>: ValueSink {
  private let loader: Loader
  private(set) var values: [Loader.Value] = []
  private var dictionary: [Loader.Value] = []

  init(_ loader: Loader, expected: Int) {
    self.loader = loader
    values.reserveCapacity(expected)
  }

  mutating func setDictionary(_ bytes: RawSpan, count: Int) throws(FormatError) {
    dictionary = []
    try Self.load(bytes, PageLevels(allValid: count), loader, into: &dictionary)
  }

  mutating func appendPlain(_ bytes: RawSpan, _ levels: PageLevels) throws(FormatError) {
    try Self.load(bytes, levels, loader, into: &values)
  }

  // A sink is reached through a protocol, so without this the generic code would run, with a call a value.
  @_specialize(where Loader == NumberLoader<Int32>)
  @_specialize(where Loader == NumberLoader<Int64>)
  @_specialize(where Loader == NumberLoader<Float>)
  @_specialize(where Loader == NumberLoader<Double>)
  @_specialize(where Loader == DecimalLoader)
  private static func load(
    _ bytes: RawSpan, _ levels: PageLevels, _ loader: Loader, into values: inout [Loader.Value]
  ) throws(FormatError) {
    let width = loader.width
    guard levels.validCount <= bytes.byteCount / width else {
      throw .malformed("a page holds fewer values than it declares")
    }
    var problem: String?
    values.append(addingCapacity: levels.count) { span in
      span.withUnsafeMutableBufferPointer { target, count in
        bytes.withUnsafeBytes { source in
          if let base = source.baseAddress {
            problem = loader.problem(base, count: levels.validCount)
            for index in 0..<levels.validCount { target[index] = loader.load(base + index &* width) }
          }
        }
        levels.spread(target) { _ in Loader.Value.zero }
        count = levels.count
      }
    }
    if let problem { throw .outOfRange(problem) }
  }

  mutating func appendIndices(
    _ reader: inout HybridReader, _ levels: PageLevels, _ indices: inout [UInt32]
  ) throws(FormatError) {
    let entries = dictionary
    try Self.gather(entries.span, &indices, &reader, levels, into: &values)
  }

  // A sink is reached through a protocol, so without this the generic code would run, with a call a value.
  @_specialize(where Loader == NumberLoader<Int32>)
  @_specialize(where Loader == NumberLoader<Int64>)
  @_specialize(where Loader == NumberLoader<Float>)
  @_specialize(where Loader == NumberLoader<Double>)
  @_specialize(where Loader == DecimalLoader)
  private static func gather(
    _ dictionary: Span<Loader.Value>, _ indices: inout [UInt32], _ reader: inout HybridReader,
    _ levels: PageLevels, into values: inout [Loader.Value]
  ) throws(FormatError) {
    try values.append(addingCapacity: levels.count) { (span) throws(FormatError) in
      try span.withUnsafeMutableBufferPointer { (target, count) throws(FormatError) in
        var done = 0
        while done < levels.validCount {
          let part = min(HybridReader.step, levels.validCount - done)
          try reader.read(part, into: &indices)
          try checkIndices(indices, part, dictionary.count)
          for index in 0..<part {
            target[done &+ index] = dictionary[unchecked: Int(indices[index])]
          }
          done += part
        }
        levels.spread(target) { _ in Loader.Value.zero }
        count = levels.count
      }
    }
  }

  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatError) {
    switch encoding {
    case .byteStreamSplit:
      let plain = try StreamSplitReader.plain(bytes, count: levels.validCount, width: loader.width)
      try appendPlain(plain.span.bytes, levels)
    case .deltaBinaryPacked where Loader.Value.self == Int32.self:
      let plain = try DeltaReader.decode(bytes, count: levels.validCount, as: Int32.self).values
      try appendPlain(plain.span.bytes, levels)
    case .deltaBinaryPacked where Loader.Value.self == Int64.self:
      let plain = try DeltaReader.decode(bytes, count: levels.validCount, as: Int64.self).values
      try appendPlain(plain.span.bytes, levels)
    case .deltaByteArray:
      let plain = try DeltaStringReader.prefixed(bytes, count: levels.validCount)
      guard plain.haveLength(loader.width) else {
        throw .malformed("values of a fixed length have another one")
      }
      try appendPlain(plain.bytes.span.bytes, levels)
    default: throw .malformed("a page has an encoding that its type cannot have")
    }
  }

  var plainWidth: Int? { loader.width }

  mutating func keep(_ part: Range<Int>, ofLast count: Int) {
    let start = values.count - count
    values = Array(values[..<start]) + values[start + part.lowerBound..<start + part.upperBound]
  }

  var byteCount: Int { values.count * MemoryLayout<Loader.Value>.stride }

  mutating func endPages() { dictionary = [] }

  mutating func endDictionary() { dictionary = [] }

  mutating func take(_ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    let taken = values
    values = []
    return try Loader.Value.column(taken, leaf)
  }
}
