import TarnColumns

/// A leaf of a file's schema: its type in memory, and how the file stores it.
struct LeafColumn: Sendable {
  /// The names on the way from the root.
  var path: [String]
  var type: DataType
  /// Position among a row group's chunks.
  var chunk: Int
  var physical: PhysicalType
  /// Bytes of a value of a fixed-length type.
  var byteLength: Int
  var conversion: Conversion
  /// The order that the format defines for the stored type.
  var order: ValueOrder
  /// Whether the file says that its bounds follow that order; else the format gives `min_value` and `max_value` no
  /// meaning.
  var hasOrderOfType: Bool
  /// The definition level of a value that is there.
  var greatestDefinition = 0
  /// The repetition level of a value that goes on its innermost list.
  var greatestRepetition = 0
  /// The definition level from which there is a cell for a value: its innermost list has an element.
  var cellDefinition = 0
  /// Whether digits of times that are finer than microseconds are cut; else they are an error.
  var cutsNanoseconds = false

  /// Whether levels tell no more than which values are null.
  var isFlat: Bool { greatestDefinition == 0 || path.count == 1 && greatestRepetition == 0 }

  /// The names joined by points.
  var name: String { path.joined(separator: ".") }

  /// What is done to stored values to make the values in memory.
  enum Conversion: Sendable {
    case none
    /// Integers kept in the lower bits of 32 or 64 bits.
    case int8, int16, uint8, uint16, uint32, uint64
    case decimal
    /// Nanoseconds made microseconds.
    case nanoseconds
    /// Milliseconds of 32 bits made microseconds of 64.
    case milliseconds
    /// Halves made floats.
    case float16
    /// Sixteen bytes made text.
    case uuid
  }
}

/// How values of a stored type are ordered: `ColumnOrder` of `parquet.thrift`.
enum ValueOrder: Sendable {
  /// As numbers with a sign, and false before true.
  case signed
  /// As numbers without one, and strings by their bytes.
  case unsigned
  /// The format defines none: GEOMETRY, GEOGRAPHY, INTERVAL and INT96, and what is newer than this library.
  case undefined
}

/// Why a column cannot be read.
struct UnreadableError: Error {
  var text: String
}

extension SchemaElement {
  /// The logical type, made from the older converted type where a file has only that.
  var effectiveLogical: LogicalType? {
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
    case .interval: return nil
    case .map, .mapKeyValue: return .map
    case .list: return .list
    }
  }

  /// The order of a leaf's values; one whose annotation does not fit has none that is known.
  var order: ValueOrder {
    switch (physical, effectiveLogical) {
    case (nil, _), (.int96, _): .undefined
    case (.fixedByteArray, nil): converted == .interval ? .undefined : .unsigned
    case (.byteArray, nil): .unsigned
    case (_, nil): .signed
    case (.int32, .integer(8, let isSigned)), (.int32, .integer(16, let isSigned)),
      (.int32, .integer(32, let isSigned)), (.int64, .integer(64, let isSigned)):
      isSigned ? .signed : .unsigned
    case (.int32, .date), (.int32, .time), (.int64, .time), (.int64, .timestamp): .signed
    case (.int32, .decimal), (.int64, .decimal), (.byteArray, .decimal), (.fixedByteArray, .decimal): .signed
    case (.fixedByteArray, .float16): .signed
    case (.byteArray, .string), (.byteArray, .enumeration), (.byteArray, .json), (.byteArray, .bson),
      (.fixedByteArray, .uuid):
      .unsigned
    default: .undefined
    }
  }

  /// The leaf's type in memory, and how it is made.
  ///
  /// An annotation that does not fit the physical type, or that is newer than this library, is passed over, as
  /// the format asks of readers.
  func meaning() throws(UnreadableError) -> (DataType, LeafColumn.Conversion) {
    guard let physical else { throw UnreadableError(text: "it has no physical type") }
    switch (physical, effectiveLogical) {
    case (.int32, .integer(8, true)): return (.int8, .int8)
    case (.int32, .integer(16, true)): return (.int16, .int16)
    case (.int32, .integer(8, false)): return (.int32, .uint8)
    case (.int32, .integer(16, false)): return (.int32, .uint16)
    case (.int32, .integer(32, false)): return (.int64, .uint32)
    case (.int64, .integer(64, false)): return (.decimal(precision: 20, scale: 0), .uint64)
    case (.int32, .date): return (.date, .none)
    case (.int32, .time(_, .milliseconds)): return (.time, .milliseconds)
    case (.int64, .time(_, let unit)): return (.time, unit == .nanoseconds ? .nanoseconds : .none)
    case (.int64, .timestamp(let isUTC, let unit)):
      return (
        .timestamp(unit == .milliseconds ? .milliseconds : .microseconds, isUTC ? .instant : .local),
        unit == .nanoseconds ? .nanoseconds : .none
      )
    case (.byteArray, .string), (.byteArray, .enumeration), (.byteArray, .json): return (.string, .none)
    case (.fixedByteArray, .uuid) where byteLength == 16: return (.string, .uuid)
    case (.fixedByteArray, .float16) where byteLength == 2: return (.float, .float16)
    case (.int32, .decimal(let precision, let scale)), (.int64, .decimal(let precision, let scale)),
      (.byteArray, .decimal(let precision, let scale)), (.fixedByteArray, .decimal(let precision, let scale)):
      guard precision > 0, precision <= DataType.greatestPrecision, scale >= 0, scale <= precision else {
        throw UnreadableError(text: "decimal(\(precision),\(scale)) is not supported")
      }
      return (.decimal(precision: precision, scale: scale), .decimal)
    default: return (physical.plainType, .none)
    }
  }
}

extension PhysicalType {
  /// The type in memory of values that no annotation explains.
  fileprivate var plainType: DataType {
    switch self {
    case .boolean: .boolean
    case .int32: .int32
    case .int64: .int64
    case .int96: .timestamp(.microseconds, .instant)
    case .float: .float
    case .double: .double
    case .byteArray, .fixedByteArray: .binary
    }
  }
}
