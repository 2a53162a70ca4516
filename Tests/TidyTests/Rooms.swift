import TarnTestSupport

/// The rooms of the package from the ground up, and what each may import: rooms below it, never one beside
/// or above it.
enum Rooms {
  static let all: [(name: String, imports: [String])] = [
    ("CZlib", []),
    ("CZstd", []),
    ("CFileCopy", []),
    ("CMalloc", []),
    ("CCurl", []),
    ("CCrypto", []),
    ("TarnBytes", ["CZlib"]),
    ("TarnCompression", ["TarnBytes", "CZlib", "CZstd"]),
    ("TarnColumns", ["TarnBytes"]),
    ("TarnExpressions", ["TarnBytes", "TarnColumns"]),
    ("DynamoDBJSON", ["TarnBytes"]),
    ("TarnStorage", ["TarnBytes", "CFileCopy"]),
    ("TarnStorageContract", ["TarnStorage"]),
    ("TarnAvro", ["TarnBytes", "TarnColumns", "TarnCompression"]),
    ("TarnParquet", ["TarnBytes", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnCompression"]),
    ("TarnLogs", ["TarnBytes", "TarnStorage"]),
    ("TarnTimeline", ["TarnBytes", "TarnColumns", "TarnStorage", "TarnAvro", "TarnLogs"]),
    ("TarnIndex", ["TarnBytes", "TarnColumns", "TarnStorage", "TarnAvro", "TarnTimeline"]),
    (
      "TarnFileGroups",
      [
        "TarnBytes", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnAvro", "TarnParquet",
        "TarnTimeline", "TarnIndex",
      ]
    ),
    (
      "Tarn",
      [
        "TarnBytes", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnAvro", "TarnParquet",
        "TarnTimeline", "TarnIndex", "TarnFileGroups",
      ]
    ),
    ("TarnAWS", ["TarnBytes", "CCurl", "CCrypto"]),
    ("TarnS3", ["Tarn", "TarnStorage", "TarnAWS", "TarnBytes"]),
    (
      "TarnCDC",
      ["TarnBytes", "TarnColumns", "TarnStorage", "TarnCompression", "TarnParquet", "DynamoDBJSON"]
    ),
    ("TarnIngest", ["Tarn", "TarnCDC", "TarnColumns", "TarnStorage", "TarnTimeline", "TarnBytes"]),
    (
      "TarnFoundation",
      [
        "Tarn", "TarnCDC", "TarnColumns", "TarnExpressions", "TarnParquet", "TarnStorage", "TarnTimeline",
        "DynamoDBJSON",
      ]
    ),
    (
      "TarnCommand",
      [
        "Tarn", "TarnCDC", "TarnColumns", "TarnExpressions", "TarnParquet", "TarnStorage", "TarnBytes",
        "TarnTimeline", "TarnFileGroups", "TarnAvro", "TarnS3", "CMalloc",
      ]
    ),
  ]

  /// The system's own modules, which every room may import.
  static let system: Set = ["Glibc", "Musl", "Darwin", "Synchronization"]

  /// Files above the library that use Foundation, each for a thing that nothing below it has.
  static let foundation: Set = [
    // Time zones by name.
    "Sources/TarnCommand/Options/ZoneConversion.swift",
    // `LocalizedError`.
    "Sources/TarnFoundation/LocalizedErrors.swift",
    // `Data`, `Decimal` and `Date` as attribute values.
    "Sources/TarnFoundation/AttributeValues.swift",
  ]

  /// The dependencies that the manifest gives each target of `Sources`.
  static func declared() throws -> [String: Set<String>] {
    let manifest = try TestWorld.lines(of: TestWorld.root + "/Package.swift").joined(separator: "\n")
    var found: [String: Set<String>] = [:]
    let room = /room\(\s*"(\w+)",\s*\[([^\]]*)\]/
    for match in manifest.matches(of: room) { found[String(match.1)] = names(match.2) }
    let command = /executableTarget\(\s*name: "(\w+)",\s*dependencies: \[([^\]]*)\]/
    for match in manifest.matches(of: command) { found[String(match.1)] = names(match.2) }
    for match in manifest.matches(of: /systemLibrary\(\s*name: "(\w+)"/) { found[String(match.1)] = [] }
    return found
  }

  /// The targets of `Sources` that are libraries to be imported alone.
  static func products() throws -> Set<String> {
    let manifest = try TestWorld.lines(of: TestWorld.root + "/Package.swift").joined(separator: "\n")
    return manifest.matches(of: /\.library\(\s*name: "\w+", targets: (\[[^\]]*\])/)
      .reduce(into: []) { $0.formUnion(names($1.1)) }
  }

  /// The files and folders of each test target that the manifest compiles for the tests in release.
  static func heavyTests() throws -> [String: Set<String>] {
    let manifest = try TestWorld.lines(of: TestWorld.root + "/Package.swift").joined(separator: "\n")
    var parts: [String: Set<String>] = [:]
    for target in manifest.split(separator: "\n      tests(") {
      guard let name = target.firstMatch(of: /^\s*"(\w+)"/),
        let list = target.firstMatch(of: /heavy: \[([^\]]*)\]/)
      else { continue }
      parts[String(name.1)] = Set(list.1.matches(of: /"([^"]+)"/).map { String($0.1) })
    }
    return parts
  }

  private static func names(_ list: Substring) -> Set<String> {
    Set(list.matches(of: /"(\w+)"/).map { String($0.1) })
  }
}
