/// The folders within each target, in the order in which each uses only those before it.
enum Folders {
  static let orders: [String: [String]] = [
    "TarnAvro": ["Schemas", "Values", "Containers"],
    "Tarn": [
      "Reports", "Definition", "Schema", "Incoming", "Lookup", "Decide", "Plan", "Write", "Swap", "Recovery",
      "Commit",
      "Check", "Services", "Restoring",
      "Table",
      "Replacing", "Rows",
    ],
    "TarnColumns": [
      "Types", "Values", "Columns", "Text", "Building", "Comparison", "Conversion", "Changes",
    ],
    "DynamoDBJSON": ["Values", "Text", "Index", "Decode", "Encode", "Plain"],
    "TarnExpressions": ["Tree", "Evaluation", "Text", "Bounds"],
    "TarnFileGroups": ["Support", "Files", "Scan", "Lookup", "Format", "Write", "Rewrite"],
    "TarnIndex": ["Hashing", "Bloom", "Keys", "KeyIndex", "Tombstones"],
    "TarnStorage": ["Protocol", "Memory", "System", "Local"],
    "TarnTimeline": [
      "Layout", "Instants", "Properties", "Metadata", "Services", "Archive", "View", "Lock", "Head",
      "Attempt", "Decisions",
    ],
    "TarnAWS": ["Text", "XML", "System", "HTTP", "Signing", "Client", "Profiles", "Credentials"],
    "TarnS3": ["Options", "Answers", "Requests", "Reading", "Conditions", "Writing", "Storage"],
    "TarnCDC": ["Scan", "Shapes", "Read", "Names", "Normal", "Types", "Rows", "Transform"],
    "TarnCommand": [
      "Arguments", "Options", "Output", "Input", "Access", "Commands", "Changes", "Upkeep", "Tool",
    ],
    "TarnParquet": [
      "Support", "Format", "Encoding", "Page", "Bloom", "Write", "Read", "Splice", "Check",
    ],
  ]

  /// How many files may stand in one folder.
  static let mostFiles = 15

  /// Targets of which no file uses many others, and how many it may use.
  static let mostUses = ["Tarn": 10]

  /// Names by which files use the libraries of the system, whose headers are not among the sources.
  static let ofSystemLibraries: [String: Set<String>] = [
    "CZlib": ["z_stream", "crc32_z", "crc32", "deflateInit2_", "inflateInit2_", "deflate", "inflate"],
    "CMalloc": ["mallopt"],
    "CCurl": ["CURLcode", "CURLoption", "CurlFunctions"],
    "CCrypto": ["CryptoFunctions"],
    "CZstd": ["ZSTD_createCCtx", "ZSTD_createDCtx", "ZSTD_CCtx_setParameter", "ZSTD_isError"],
  ]

  /// Members of the standard library's own collections, which tell of no import.
  static let ofCollections: Set = [
    "count", "isEmpty", "append", "insert", "remove", "removeAll", "removeFirst", "removeLast", "popLast",
    "first", "last", "map", "flatMap", "compactMap", "filter", "contains", "min", "max", "sorted", "sort",
    "reserveCapacity", "indices", "startIndex", "endIndex", "index", "hash", "hashValue", "description",
    "utf8", "utf16", "keys", "values", "next", "makeIterator", "lowerBound", "upperBound", "isSubset",
    "isSuperset", "union", "intersection", "subtract", "subtracting", "formUnion", "reduce", "prefix",
    "suffix",
    "dropFirst", "dropLast", "reversed", "joined", "split", "starts", "hasPrefix", "hasSuffix", "lowercased",
    "uppercased", "none", "some", "success", "failure", "rawValue", "allCases", "key", "value", "_",
    "Element", "Index", "Iterator", "Failure", "Key", "Value", "Result", "Error",
  ]

  /// Names that many types have, so that they tell of no use.
  static let common = ofCollections.union([
    "add", "body", "bitWidth", "bytes", "cancel", "close", "copy", "debugDescription", "decode", "element",
    "encode", "end", "exponent", "extracting", "finish", "get", "id", "initialize", "isNaN", "length", "load",
    "magnitude", "message", "move", "mutableSpan", "name", "offset", "path", "print", "read", "reset",
    "rounded", "seek", "sign", "span", "start", "store", "swapAt", "text", "update", "wait", "write", "Kind",
  ])
}
