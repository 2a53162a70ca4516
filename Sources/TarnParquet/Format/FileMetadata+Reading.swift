extension ThriftReader {
  @_lifetime(self: copy self)
  mutating func fileMetadata() throws(FormatError) -> FileMetadata {
    var result = FileMetadata()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.version = try int(field) ?? result.version
      case 2: for _ in 0..<(try elements(field, of: .structure)) { result.schema.append(try schemaElement()) }
      case 3: result.rowCount = try size(field) ?? result.rowCount
      case 4: for _ in 0..<(try elements(field, of: .structure)) { result.groups.append(try rowGroup()) }
      case 5: for _ in 0..<(try elements(field, of: .structure)) { result.keyValues.append(try keyValue()) }
      case 6: result.createdBy = try text(field) ?? result.createdBy
      case 7:
        var orders: [Bool] = []
        for _ in 0..<(try elements(field, of: .structure)) { orders.append(try isOrderOfType()) }
        result.hasOrderOfType = orders
      // Where columns are encrypted and the footer is not, the others can be read.
      default: try skip(field)
      }
    }
    return result
  }

  /// Reads a column's order, a union; whether it is the one that the format defines for the column's type.
  @_lifetime(self: copy self)
  private mutating func isOrderOfType() throws(FormatError) -> Bool {
    var result = false
    var last = 0
    while let field = try nextField(after: &last) {
      if field.id == 1, field.wire == .structure { result = true }
      try skip(field)
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func keyValue() throws(FormatError) -> ParquetKeyValue {
    var result = ParquetKeyValue("", "")
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.key = try text(field) ?? result.key
      case 2: result.value = try text(field) ?? result.value
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func schemaElement() throws(FormatError) -> SchemaElement {
    var result = SchemaElement()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.physical = try known(try int(field), PhysicalType.init) ?? result.physical
      case 2: result.byteLength = try size(field) ?? result.byteLength
      case 3: result.repetition = try known(try int(field), Repetition.init) ?? result.repetition
      case 4: result.name = try text(field) ?? result.name
      case 5: result.childCount = try size(field) ?? result.childCount
      case 6: result.converted = try int(field).flatMap(ConvertedType.init) ?? result.converted
      case 7: result.scale = try int(field) ?? result.scale
      case 8: result.precision = try int(field) ?? result.precision
      case 9: result.fieldID = try int(field) ?? result.fieldID
      case 10 where field.wire == .structure: result.logical = try logicalType()
      default: try skip(field)
      }
    }
    return result
  }

  /// What a number stands for; nil where there is none.
  private func known<T>(_ number: Int?, _ make: (Int) -> T?) throws(FormatError) -> T? {
    guard let number else { return nil }
    guard let value = make(number) else {
      throw .malformed("the metadata has a number that the format does not define")
    }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func logicalType() throws(FormatError) -> LogicalType? {
    var result: LogicalType?
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result = .string
      case 2: result = .map
      case 3: result = .list
      case 4: result = .enumeration
      case 6: result = .date
      case 11: result = .unknown
      case 12: result = .json
      case 13: result = .bson
      case 14: result = .uuid
      case 15: result = .float16
      case 5 where field.wire == .structure, 7 where field.wire == .structure,
        8 where field.wire == .structure, 10 where field.wire == .structure:
        result = try parameters(of: field)
        continue
      default: result = .other(field.id)
      }
      try skip(field)
    }
    return result
  }

  /// Reads the parameters of a decimal (5), time (7), timestamp (8) or integer (10).
  @_lifetime(self: copy self)
  private mutating func parameters(of type: FieldHeader) throws(FormatError) -> LogicalType {
    var flag = false
    var first = 0
    var second = 0
    var last = 0
    while let field = try nextField(after: &last) {
      switch (field.id, field.wire) {
      case (_, .yes): flag = true
      case (_, .no): flag = false
      // A union of empty structures: its one field's number tells the unit.
      case (2, .structure):
        var inner = 0
        while let unit = try nextField(after: &inner) {
          second = unit.id
          try skip(unit)
        }
      case (1, _): first = try int(field) ?? first
      case (2, _): second = try int(field) ?? second
      default: try skip(field)
      }
    }
    switch type.id {
    case 5: return .decimal(precision: second, scale: first)
    case 10: return .integer(bits: first, isSigned: flag)
    default:
      guard let unit = try known(second, LogicalType.Unit.init) else { return .other(type.id) }
      return type.id == 7
        ? .time(isAdjustedToUTC: flag, unit: unit) : .timestamp(isAdjustedToUTC: flag, unit: unit)
    }
  }

  @_lifetime(self: copy self)
  private mutating func rowGroup() throws(FormatError) -> RowGroupMetadata {
    var result = RowGroupMetadata()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: for _ in 0..<(try elements(field, of: .structure)) { result.columns.append(try chunk()) }
      case 2: result.byteCount = try int(field) ?? result.byteCount
      case 3: result.rowCount = try size(field) ?? result.rowCount
      case 5: result.fileOffset = try int(field) ?? result.fileOffset
      case 6: result.compressedByteCount = try int(field) ?? result.compressedByteCount
      case 7: result.ordinal = try int(field) ?? result.ordinal
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func chunk() throws(FormatError) -> ChunkMetadata {
    var result = ChunkMetadata()
    var offsets = (0, 0)
    var sizes = (0, 0)
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.filePath = try text(field) ?? result.filePath
      case 3 where field.wire == .structure: try columnMetadata(&result)
      case 4: offsets.0 = try int(field) ?? offsets.0
      case 5: sizes.0 = try int(field) ?? sizes.0
      case 6: offsets.1 = try int(field) ?? offsets.1
      case 7: sizes.1 = try int(field) ?? sizes.1
      case 8, 9:
        result.isEncrypted = true
        try skip(field)
      default: try skip(field)
      }
    }
    result.offsetIndex = Self.range(offsets.0, sizes.0)
    result.columnIndex = Self.range(offsets.1, sizes.1)
    return result
  }

  /// A part of the file; nil for none, for which some writers give zero or less, and for one that no file could hold.
  private static func range(_ offset: Int, _ size: Int) -> Range<Int>? {
    let (end, overflow) = offset.addingReportingOverflow(size)
    return offset > 0 && size > 0 && !overflow ? offset..<end : nil
  }

  @_lifetime(self: copy self)
  private mutating func columnMetadata(_ result: inout ChunkMetadata) throws(FormatError) {
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.physical = try known(try int(field), PhysicalType.init) ?? result.physical
      case 2:
        for _ in 0..<(try elements(field, of: .int32)) {
          result.encodings.append(Encoding(rawValue: try element()))
        }
      case 3:
        for _ in 0..<(try elements(field, of: .binary)) {
          result.path.append(String(decoding: try bytes(), as: UTF8.self))
        }
      case 4: result.codec = try int(field).map(Codec.init) ?? result.codec
      case 5: result.valueCount = try size(field) ?? result.valueCount
      case 6: result.uncompressedSize = try size(field) ?? result.uncompressedSize
      case 7: result.compressedSize = try size(field) ?? result.compressedSize
      case 9: result.dataPageOffset = try size(field) ?? result.dataPageOffset
      case 11: result.dictionaryPageOffset = try size(field) ?? result.dictionaryPageOffset
      case 12 where field.wire == .structure: result.statistics = try statistics()
      case 13:
        for _ in 0..<(try elements(field, of: .structure)) {
          result.encodingStatistics.append(try pageEncodingCount())
        }
      case 14: result.bloomFilterOffset = try int(field) ?? result.bloomFilterOffset
      case 15: result.bloomFilterSize = try int(field) ?? result.bloomFilterSize
      default: try skip(field)
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func statistics() throws(FormatError) -> ChunkStatistics {
    var result = ChunkStatistics()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.legacyMaximum = try bytes(field) ?? result.legacyMaximum
      case 2: result.legacyMinimum = try bytes(field) ?? result.legacyMinimum
      case 3: result.nullCount = try int(field) ?? result.nullCount
      case 5: result.maximum = try bytes(field) ?? result.maximum
      case 6: result.minimum = try bytes(field) ?? result.minimum
      case 7: result.isMaximumExact = try bool(field) ?? result.isMaximumExact
      case 8: result.isMinimumExact = try bool(field) ?? result.isMinimumExact
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func pageEncodingCount() throws(FormatError) -> PageEncodingCount {
    var result = PageEncodingCount()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.page = try known(try int(field), PageType.init) ?? result.page
      case 2: result.encoding = try int(field).map(Encoding.init) ?? result.encoding
      case 3: result.count = try size(field) ?? result.count
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  mutating func pageHeader() throws(FormatError) -> PageHeader {
    var result = PageHeader()
    var last = 0
    var details = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.type = try known(try int(field), PageType.init) ?? result.type
      case 2: result.uncompressedSize = try size(field) ?? result.uncompressedSize
      case 3: result.compressedSize = try size(field) ?? result.compressedSize
      case 4: result.checksum = try int(field).map { UInt32(truncatingIfNeeded: $0) } ?? result.checksum
      case 5 where field.wire == .structure, 7 where field.wire == .structure:
        details = field.id
        try detailsV1(&result)
      case 8 where field.wire == .structure:
        details = field.id
        try detailsV2(&result)
      default: try skip(field)
      }
    }
    let expected =
      switch result.type {
      case .data: 5
      case .dictionary: 7
      case .dataV2: 8
      case .index: details
      }
    guard details == expected, result.encoding != Encoding.none || result.type == .index else {
      throw .malformed("a page header lacks its details")
    }
    // The format gives them 32 bits.
    guard
      [
        result.uncompressedSize, result.compressedSize, result.valueCount, result.definitionByteCount,
        result.repetitionByteCount,
      ].allSatisfy({ $0 <= Int(Int32.max) })
    else { throw .malformed("a page header has a number beyond 32 bits") }
    return result
  }

  /// Reads what a data page of version 1 and a dictionary page have in common, and the first's level encodings.
  @_lifetime(self: copy self)
  private mutating func detailsV1(_ result: inout PageHeader) throws(FormatError) {
    var last = 0
    while let field = try nextField(after: &last) {
      switch (field.id, field.wire) {
      case (1, _): result.valueCount = try size(field) ?? result.valueCount
      case (2, _): result.encoding = try int(field).map(Encoding.init) ?? result.encoding
      case (3, .int32): result.definitionEncoding = try int(field).map(Encoding.init) ?? .rle
      case (4, .int32): result.repetitionEncoding = try int(field).map(Encoding.init) ?? .rle
      case (5, .structure): result.statistics = try statistics()
      default: try skip(field)
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func detailsV2(_ result: inout PageHeader) throws(FormatError) {
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.valueCount = try size(field) ?? result.valueCount
      // Both are told by the levels, which are right where a writer was wrong.
      case 2: result.nullCount = try int(field) ?? result.nullCount
      case 3: result.rowCount = try int(field) ?? result.rowCount
      case 4: result.encoding = try int(field).map(Encoding.init) ?? result.encoding
      case 5: result.definitionByteCount = try size(field) ?? result.definitionByteCount
      case 6: result.repetitionByteCount = try size(field) ?? result.repetitionByteCount
      case 7: result.isCompressed = try bool(field) ?? result.isCompressed
      case 8 where field.wire == .structure: result.statistics = try statistics()
      default: try skip(field)
      }
    }
  }
}
