// The numbers are those of `parquet.thrift`.

/// How values are stored.
enum PhysicalType: Int, Sendable {
  case boolean = 0
  case int32, int64, int96, float, double, byteArray, fixedByteArray
}

/// How often a value occurs in its parent.
enum Repetition: Int, Sendable {
  case required = 0
  case optional, repeated
}

/// What values meant before logical types.
enum ConvertedType: Int, Sendable {
  case utf8 = 0
  case map, mapKeyValue, list, enumeration, decimal, date, timeMillis, timeMicros, timestampMillis
  case timestampMicros, uint8, uint16, uint32, uint64, int8, int16, int32, int64, json, bson, interval
}

/// How values are encoded in a page.
struct Encoding: RawRepresentable, Hashable, Sendable {
  let rawValue: Int

  /// No encoding at all, where one should be told.
  static let none = Encoding(rawValue: -1)
  static let plain = Encoding(rawValue: 0)
  static let plainDictionary = Encoding(rawValue: 2)
  static let rle = Encoding(rawValue: 3)
  static let bitPacked = Encoding(rawValue: 4)
  static let deltaBinaryPacked = Encoding(rawValue: 5)
  static let deltaLengthByteArray = Encoding(rawValue: 6)
  static let deltaByteArray = Encoding(rawValue: 7)
  static let rleDictionary = Encoding(rawValue: 8)
  static let byteStreamSplit = Encoding(rawValue: 9)

  /// Whether this library knows it.
  var isKnown: Bool { rawValue == 0 || (2...9).contains(rawValue) }

  /// The format's name for it.
  var name: String {
    let names = [
      "PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED",
      "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
    ]
    return names.indices.contains(rawValue) ? names[rawValue] : "number \(rawValue)"
  }
}

/// How pages are compressed.
struct Codec: RawRepresentable, Hashable, Sendable {
  let rawValue: Int

  static let uncompressed = Codec(rawValue: 0)
  static let snappy = Codec(rawValue: 1)
  static let gzip = Codec(rawValue: 2)
  static let lz4 = Codec(rawValue: 5)
  static let zstd = Codec(rawValue: 6)
  static let lz4Raw = Codec(rawValue: 7)

  /// The format's name for it.
  var name: String {
    let names = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"]
    return names.indices.contains(rawValue) ? names[rawValue] : "number \(rawValue)"
  }
}

/// What a page holds.
enum PageType: Int, Sendable {
  case data = 0
  case index, dictionary, dataV2
}

/// What values mean.
enum LogicalType: Sendable, Hashable {
  case string, map, list, enumeration, date, unknown, json, bson, uuid, float16
  case decimal(precision: Int, scale: Int)
  case time(isAdjustedToUTC: Bool, unit: Unit)
  case timestamp(isAdjustedToUTC: Bool, unit: Unit)
  case integer(bits: Int, isSigned: Bool)
  /// One that this library does not know, by its number.
  case other(Int)

  enum Unit: Int, Sendable {
    case milliseconds = 1
    case microseconds, nanoseconds
  }
}
