extension FileMetadata {
  /// The footer's Thrift bytes.
  ///
  /// - Parameter edit: What is changed in a value once it stands there.
  func encoded(_ edit: KeyValueEdit? = nil) -> [UInt8] {
    var out = ThriftWriter()
    // What a writer keeps there may be far larger than the rest.
    out.reserve(keyValues.reduce(4_096) { $0 + $1.key.utf8.count + $1.value.utf8.count })
    out.int32(1, version)
    out.list(2, .structure, count: schema.count)
    for element in schema { out.element { element.write(to: &$0) } }
    out.int64(3, rowCount)
    out.list(4, .structure, count: groups.count)
    for group in groups { out.element { group.write(to: &$0) } }
    if !keyValues.isEmpty {
      out.list(5, .structure, count: keyValues.count)
      for entry in keyValues {
        out.element {
          $0.text(1, entry.key)
          $0.text(2, entry.value)
          if let edit, edit.key == entry.key { $0.change(last: entry.value.utf8.count, edit.body) }
        }
      }
    }
    if let createdBy { out.text(6, createdBy) }
    // All columns' statistics follow the order that their types define.
    let leaves = schema.count { $0.childCount == nil }
    out.list(7, .structure, count: leaves)
    for _ in 0..<leaves { out.element { $0.structure(1) { _ in } } }
    out.end()
    return out.bytes
  }
}

extension SchemaElement {
  func write(to out: inout ThriftWriter) {
    if let physical { out.int32(1, physical.rawValue) }
    if let byteLength { out.int32(2, byteLength) }
    if let repetition { out.int32(3, repetition.rawValue) }
    out.text(4, name)
    if let childCount { out.int32(5, childCount) }
    if let converted { out.int32(6, converted.rawValue) }
    if let scale { out.int32(7, scale) }
    if let precision { out.int32(8, precision) }
    if let fieldID { out.int32(9, fieldID) }
    if let logical { out.structure(10) { logical.write(to: &$0) } }
  }
}

extension LogicalType {
  func write(to out: inout ThriftWriter) {
    switch self {
    case .string: out.structure(1) { _ in }
    case .map: out.structure(2) { _ in }
    case .list: out.structure(3) { _ in }
    case .enumeration: out.structure(4) { _ in }
    case .decimal(let precision, let scale):
      out.structure(5) {
        $0.int32(1, scale)
        $0.int32(2, precision)
      }
    case .date: out.structure(6) { _ in }
    case .time(let isAdjusted, let unit): out.structure(7) { Self.write(isAdjusted, unit, to: &$0) }
    case .timestamp(let isAdjusted, let unit): out.structure(8) { Self.write(isAdjusted, unit, to: &$0) }
    case .integer(let bits, let isSigned):
      out.structure(10) {
        $0.byte(1, Int8(truncatingIfNeeded: bits))
        $0.bool(2, isSigned)
      }
    case .unknown: out.structure(11) { _ in }
    case .json: out.structure(12) { _ in }
    case .bson: out.structure(13) { _ in }
    case .uuid: out.structure(14) { _ in }
    case .float16: out.structure(15) { _ in }
    case .other(let number): out.structure(number) { _ in }
    }
  }

  private static func write(_ isAdjusted: Bool, _ unit: Unit, to out: inout ThriftWriter) {
    out.bool(1, isAdjusted)
    out.structure(2) { $0.structure(unit.rawValue) { _ in } }
  }
}

extension RowGroupMetadata {
  func write(to out: inout ThriftWriter) {
    out.list(1, .structure, count: columns.count)
    for column in columns { out.element { column.write(to: &$0) } }
    out.int64(2, byteCount)
    out.int64(3, rowCount)
    if let fileOffset { out.int64(5, fileOffset) }
    if let compressedByteCount { out.int64(6, compressedByteCount) }
    // The ordinal is a 16-bit number, and optional.
    if let ordinal, ordinal <= Int(Int16.max) { out.int16(7, ordinal) }
  }
}

extension ChunkMetadata {
  func write(to out: inout ThriftWriter) {
    // Zero, as the format asks of writers that keep the metadata in the footer alone.
    out.int64(2, 0)
    out.structure(3) { writeColumn(to: &$0) }
    if let offsetIndex {
      out.int64(4, offsetIndex.lowerBound)
      out.int32(5, offsetIndex.count)
    }
    if let columnIndex {
      out.int64(6, columnIndex.lowerBound)
      out.int32(7, columnIndex.count)
    }
  }

  private func writeColumn(to out: inout ThriftWriter) {
    out.int32(1, physical.rawValue)
    out.list(2, .int32, count: encodings.count)
    for encoding in encodings { out.element(encoding.rawValue) }
    out.list(3, .binary, count: path.count)
    for part in path { out.element(Array(part.utf8)) }
    out.int32(4, codec.rawValue)
    out.int64(5, valueCount)
    out.int64(6, uncompressedSize)
    out.int64(7, compressedSize)
    out.int64(9, dataPageOffset)
    if let dictionaryPageOffset { out.int64(11, dictionaryPageOffset) }
    if let statistics { out.structure(12) { statistics.write(to: &$0) } }
    out.list(13, .structure, count: encodingStatistics.count)
    for entry in encodingStatistics {
      out.element {
        $0.int32(1, entry.page.rawValue)
        $0.int32(2, entry.encoding.rawValue)
        $0.int32(3, entry.count)
      }
    }
    if let bloomFilterOffset { out.int64(14, bloomFilterOffset) }
    if let bloomFilterSize { out.int32(15, bloomFilterSize) }
  }
}

extension ChunkStatistics {
  func write(to out: inout ThriftWriter) {
    if let nullCount { out.int64(3, nullCount) }
    if let maximum { out.binary(5, maximum) }
    if let minimum { out.binary(6, minimum) }
    if let isMaximumExact { out.bool(7, isMaximumExact) }
    if let isMinimumExact { out.bool(8, isMinimumExact) }
  }
}

extension PageHeader {
  /// The header's Thrift bytes, for a dictionary page or a data page of version 1.
  func encoded() -> [UInt8] {
    var out = ThriftWriter()
    out.int32(1, type.rawValue)
    out.int32(2, uncompressedSize)
    out.int32(3, compressedSize)
    if let checksum { out.int32(4, Int(Int32(bitPattern: checksum))) }
    switch type {
    case .dictionary, .data, .index:
      out.structure(type == .dictionary ? 7 : 5) {
        $0.int32(1, valueCount)
        $0.int32(2, encoding.rawValue)
        if type == .data {
          $0.int32(3, definitionEncoding.rawValue)
          $0.int32(4, repetitionEncoding.rawValue)
        }
      }
    case .dataV2:
      out.structure(8) {
        $0.int32(1, valueCount)
        if let nullCount { $0.int32(2, nullCount) }
        $0.int32(3, rowCount ?? valueCount)
        $0.int32(4, encoding.rawValue)
        $0.int32(5, definitionByteCount)
        $0.int32(6, repetitionByteCount)
        $0.bool(7, isCompressed)
      }
    }
    out.end()
    return out.bytes
  }
}
