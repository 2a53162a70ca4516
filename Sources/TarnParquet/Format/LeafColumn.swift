import TarnColumns

/// A column of a file that can be read: its type in memory, and how the file stores it.
struct LeafColumn: Sendable {
  var field: Field
  /// Position among a row group's chunks.
  var chunk: Int
  var physical: PhysicalType
  /// Bytes of a value of a fixed-length type.
  var byteLength: Int
  var conversion: Conversion

  /// What is done to stored values to make the values in memory.
  enum Conversion: Sendable {
    case none
    /// Integers kept in the lower bits of 32 or 64 bits.
    case int8, int16, uint8, uint16, uint32, uint64
    case decimal
    case nanoseconds
  }
}

/// What of a file's schema can be read.
struct SchemaMapping: Sendable {
  var leaves: [LeafColumn] = []
  /// Names of columns that cannot be read, with reasons.
  var unreadable: [String: String] = [:]
  /// Number of chunks that each row group must have.
  var chunkCount = 0

  /// Maps the stored tree.
  init(_ elements: [SchemaElement]) throws(FormatProblem) {
    guard let root = elements.first, let children = root.childCount else {
      throw .malformed("the schema has no root")
    }
    var position = 1
    var names: Set<String> = []
    for _ in 0..<children {
      guard position < elements.count else { throw Self.damaged }
      let element = elements[position]
      let chunk = chunkCount
      let isGroup = (element.childCount ?? 0) > 0
      try Self.skipTree(elements, &position, &chunkCount)
      if !names.insert(element.name).inserted {
        unreadable[element.name] = "several columns have this name"
      } else if isGroup || element.physical == nil {
        unreadable[element.name] = "nested columns are not supported yet"
      } else if element.repetition == .repeated {
        unreadable[element.name] = "repeated columns are not supported yet"
      } else {
        add(element, chunk)
      }
    }
    guard position == elements.count else { throw Self.damaged }
    leaves.removeAll { unreadable[$0.field.name] != nil }
  }

  private static var damaged: FormatProblem { .malformed("the schema's tree does not fit its elements") }

  /// Passes over a node and all below it, counting the leaves.
  private static func skipTree(
    _ elements: [SchemaElement], _ position: inout Int, _ leaves: inout Int
  ) throws(FormatProblem) {
    var open = 1
    while open > 0 {
      guard position < elements.count else { throw damaged }
      let children = elements[position].childCount ?? 0
      if children == 0 { leaves += 1 }
      position += 1
      guard children <= elements.count else { throw damaged }
      open += children - 1
    }
  }

  private mutating func add(_ element: SchemaElement, _ chunk: Int) {
    guard let physical = element.physical else { return }
    let length = element.byteLength ?? 0
    if physical == .fixedByteArray, length <= 0 {
      unreadable[element.name] = "its values have no length"
      return
    }
    switch element.meaning {
    case .failure(let reason): unreadable[element.name] = reason.text
    case .success(let (type, conversion)):
      let field = Field(element.name, type, isNullable: element.repetition != .required)
      leaves.append(
        LeafColumn(
          field: field, chunk: chunk, physical: physical, byteLength: length, conversion: conversion))
    }
  }
}

/// Why a column cannot be read.
struct Unreadable: Error {
  var text: String
}

extension SchemaElement {
  /// The logical type, made from the older converted type where a file has only that.
  private var effectiveLogical: LogicalType? {
    if let logical { return logical }
    switch converted {
    case nil: return nil
    case .utf8: return .string
    case .enumeration: return .enumeration
    case .decimal: return .decimal(precision: precision ?? 0, scale: scale ?? 0)
    case .date: return .date
    case .timeMillis: return .time(isAdjustedToUTC: true, unit: .milliseconds)
    case .timeMicros: return .time(isAdjustedToUTC: true, unit: .microseconds)
    case .timestampMillis: return .timestamp(isAdjustedToUTC: true, unit: .milliseconds)
    case .timestampMicros: return .timestamp(isAdjustedToUTC: true, unit: .microseconds)
    case .uint8: return .integer(bits: 8, isSigned: false)
    case .uint16: return .integer(bits: 16, isSigned: false)
    case .uint32: return .integer(bits: 32, isSigned: false)
    case .uint64: return .integer(bits: 64, isSigned: false)
    case .int8: return .integer(bits: 8, isSigned: true)
    case .int16: return .integer(bits: 16, isSigned: true)
    case .int32: return .integer(bits: 32, isSigned: true)
    case .int64: return .integer(bits: 64, isSigned: true)
    case .json: return .json
    case .bson: return .bson
    case .interval: return .other(21)
    case .map, .mapKeyValue: return .map
    case .list: return .list
    }
  }

  /// The type in memory, and how it is made.
  fileprivate var meaning: Result<(DataType, LeafColumn.Conversion), Unreadable> {
    guard let physical else { return .failure(Unreadable(text: "it has no physical type")) }
    switch (physical, effectiveLogical) {
    case (.boolean, nil): return .success((.boolean, .none))
    case (.int32, nil), (.int32, .integer(32, true)): return .success((.int32, .none))
    case (.int32, .integer(8, true)): return .success((.int8, .int8))
    case (.int32, .integer(16, true)): return .success((.int16, .int16))
    case (.int32, .integer(8, false)): return .success((.int32, .uint8))
    case (.int32, .integer(16, false)): return .success((.int32, .uint16))
    case (.int32, .integer(32, false)): return .success((.int64, .uint32))
    case (.int32, .date): return .success((.date, .none))
    case (.int64, nil), (.int64, .integer(64, true)): return .success((.int64, .none))
    case (.int64, .integer(64, false)): return .success((.decimal(precision: 20, scale: 0), .uint64))
    case (.int64, .timestamp(let isUTC, let unit)):
      let zone = isUTC ? TimeZoneKind.instant : .local
      return .success(
        (
          .timestamp(unit == .milliseconds ? .milliseconds : .microseconds, zone),
          unit == .nanoseconds ? .nanoseconds : .none
        ))
    case (.int96, nil): return .success((.timestamp(.microseconds, .instant), .none))
    case (.float, nil): return .success((.float, .none))
    case (.double, nil): return .success((.double, .none))
    case (.byteArray, .string), (.byteArray, .enumeration), (.byteArray, .json):
      return .success((.string, .none))
    case (.byteArray, nil), (.byteArray, .bson), (.fixedByteArray, nil), (.fixedByteArray, .uuid):
      return .success((.binary, .none))
    case (.int32, .decimal(let precision, let scale)), (.int64, .decimal(let precision, let scale)),
      (.byteArray, .decimal(let precision, let scale)), (.fixedByteArray, .decimal(let precision, let scale)):
      guard precision > 0, precision <= DataType.greatestPrecision, scale >= 0, scale <= precision else {
        return .failure(Unreadable(text: "decimal(\(precision),\(scale)) is not supported"))
      }
      return .success((.decimal(precision: precision, scale: scale), .decimal))
    case (_, let logical):
      let annotation = logical.map { " annotated as \($0)" } ?? ""
      return .failure(Unreadable(text: "\(physical)\(annotation) is not supported yet"))
    }
  }
}
