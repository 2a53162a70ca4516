extension ThriftReader {
  @_lifetime(self: copy self)
  mutating func fileMetadata() throws(FormatProblem) -> FileMetadata {
    var result = FileMetadata()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.version = try int(field)
      case 2: for _ in 0..<(try structures(field)) { result.schema.append(try schemaElement()) }
      case 3: result.rowCount = try size(field)
      case 4: for _ in 0..<(try structures(field)) { result.groups.append(try rowGroup()) }
      case 5: for _ in 0..<(try structures(field)) { result.keyValues.append(try keyValue()) }
      case 6: result.createdBy = try text(field)
      case 8:
        result.isEncrypted = true
        try skip(field)
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func keyValue() throws(FormatProblem) -> ParquetKeyValue {
    var result = ParquetKeyValue("", "")
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.key = try text(field)
      case 2: result.value = try text(field)
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func schemaElement() throws(FormatProblem) -> SchemaElement {
    var result = SchemaElement()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.physical = try known(PhysicalType(rawValue: try int(field)))
      case 2: result.byteLength = try size(field)
      case 3: result.repetition = try known(Repetition(rawValue: try int(field)))
      case 4: result.name = try text(field)
      case 5: result.childCount = try size(field)
      case 6: result.converted = ConvertedType(rawValue: try int(field))
      case 7: result.scale = try int(field)
      case 8: result.precision = try int(field)
      case 9: result.fieldID = try int(field)
      case 10: result.logical = try logicalType(field)
      default: try skip(field)
      }
    }
    return result
  }

  private func known<T>(_ value: T?) throws(FormatProblem) -> T {
    guard let value else { throw .malformed("the metadata has a number that the format does not define") }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func logicalType(_ outer: FieldHeader) throws(FormatProblem) -> LogicalType? {
    guard outer.wire == .structure else { throw .malformed("the metadata cannot be parsed") }
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
      case 5, 7, 8, 10:
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
  private mutating func parameters(of type: FieldHeader) throws(FormatProblem) -> LogicalType {
    guard type.wire == .structure else { throw .malformed("the metadata cannot be parsed") }
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
      case (1, _): first = try int(field)
      case (2, _): second = try int(field)
      default: try skip(field)
      }
    }
    switch type.id {
    case 5: return .decimal(precision: second, scale: first)
    case 10: return .integer(bits: first, isSigned: flag)
    default:
      let unit = try known(LogicalType.Unit(rawValue: second))
      return type.id == 7
        ? .time(isAdjustedToUTC: flag, unit: unit) : .timestamp(isAdjustedToUTC: flag, unit: unit)
    }
  }

  @_lifetime(self: copy self)
  private mutating func rowGroup() throws(FormatProblem) -> RowGroupMetadata {
    var result = RowGroupMetadata()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: for _ in 0..<(try structures(field)) { result.columns.append(try chunk()) }
      case 2: result.byteCount = try int(field)
      case 3: result.rowCount = try size(field)
      case 5: result.fileOffset = try int(field)
      case 6: result.compressedByteCount = try int(field)
      case 7: result.ordinal = try int(field)
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func chunk() throws(FormatProblem) -> ChunkMetadata {
    var result = ChunkMetadata()
    var offsets = (0, 0)
    var sizes = (0, 0)
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.filePath = try text(field)
      case 3 where field.wire == .structure: try columnMetadata(&result)
      case 4: offsets.0 = try int(field)
      case 5: sizes.0 = try int(field)
      case 6: offsets.1 = try int(field)
      case 7: sizes.1 = try int(field)
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
  private mutating func columnMetadata(_ result: inout ChunkMetadata) throws(FormatProblem) {
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.physical = try known(PhysicalType(rawValue: try int(field)))
      case 2:
        for _ in 0..<(try list(field).count) { result.encodings.append(Encoding(rawValue: try element())) }
      case 3:
        for _ in 0..<(try list(field).count) {
          result.path.append(String(decoding: try bytes(), as: UTF8.self))
        }
      case 4: result.codec = Codec(rawValue: try int(field))
      case 5: result.valueCount = try size(field)
      case 6: result.uncompressedSize = try size(field)
      case 7: result.compressedSize = try size(field)
      case 9: result.dataPageOffset = try size(field)
      case 11: result.dictionaryPageOffset = try size(field)
      case 12 where field.wire == .structure: result.statistics = try statistics()
      case 13:
        for _ in 0..<(try structures(field)) { result.encodingStatistics.append(try pageEncodingCount()) }
      case 14: result.bloomFilterOffset = try int(field)
      // Dremio keeps a list of its own under this number.
      case 15 where field.wire == .int32: result.bloomFilterSize = try int(field)
      default: try skip(field)
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func statistics() throws(FormatProblem) -> ChunkStatistics {
    var result = ChunkStatistics()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.legacyMaximum = try bytes(field)
      case 2: result.legacyMinimum = try bytes(field)
      case 3: result.nullCount = try int(field)
      case 5: result.maximum = try bytes(field)
      case 6: result.minimum = try bytes(field)
      case 7: result.isMaximumExact = try bool(field)
      case 8: result.isMinimumExact = try bool(field)
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  private mutating func pageEncodingCount() throws(FormatProblem) -> PageEncodingCount {
    var result = PageEncodingCount()
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.page = try known(PageType(rawValue: try int(field)))
      case 2: result.encoding = Encoding(rawValue: try int(field))
      case 3: result.count = try size(field)
      default: try skip(field)
      }
    }
    return result
  }

  @_lifetime(self: copy self)
  mutating func pageHeader() throws(FormatProblem) -> PageHeader {
    var result = PageHeader()
    var last = 0
    var details = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.type = try known(PageType(rawValue: try int(field)))
      case 2: result.uncompressedSize = try size(field)
      case 3: result.compressedSize = try size(field)
      case 4: result.checksum = UInt32(truncatingIfNeeded: try int(field))
      case 5, 7, 8:
        guard field.wire == .structure else { throw .malformed("a page header cannot be parsed") }
        details = field.id
        if field.id == 8 { try detailsV2(&result) } else { try detailsV1(&result) }
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
    guard details == expected else { throw .malformed("a page header lacks its details") }
    return result
  }

  /// Reads what a data page of version 1 and a dictionary page have in common, and the first's level encodings.
  @_lifetime(self: copy self)
  private mutating func detailsV1(_ result: inout PageHeader) throws(FormatProblem) {
    var last = 0
    while let field = try nextField(after: &last) {
      switch (field.id, field.wire) {
      case (1, _): result.valueCount = try size(field)
      case (2, _): result.encoding = Encoding(rawValue: try int(field))
      case (3, .int32): result.definitionEncoding = Encoding(rawValue: try int(field))
      case (4, .int32): result.repetitionEncoding = Encoding(rawValue: try int(field))
      case (5, .structure): result.statistics = try statistics()
      default: try skip(field)
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func detailsV2(_ result: inout PageHeader) throws(FormatProblem) {
    var last = 0
    while let field = try nextField(after: &last) {
      switch field.id {
      case 1: result.valueCount = try size(field)
      case 2: result.nullCount = try size(field)
      case 3: result.rowCount = try size(field)
      case 4: result.encoding = Encoding(rawValue: try int(field))
      case 5: result.definitionByteCount = try size(field)
      case 6: result.repetitionByteCount = try size(field)
      case 7: result.isCompressed = try bool(field)
      case 8 where field.wire == .structure: result.statistics = try statistics()
      default: try skip(field)
      }
    }
  }
}
