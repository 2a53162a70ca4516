// swift-tools-version: 6.2
import PackageDescription

/// Settings every room shares.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // Lets an owning buffer lend its memory as a span (`@_lifetime`).
  .enableExperimentalFeature("Lifetimes"),
]

func room(_ name: String, _ below: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: below, swiftSettings: settings)
}

/// Whether only what is tested in release is wanted: `Tests/run` asks for it, since the other tests take minutes to
/// compile so, and are not run then.
let isHeavyAlone = Context.environment["TARN_HEAVY_TESTS"] != nil

/// Tests of some rooms.
///
/// - Parameter heavy: The files and folders in which heavy and foreign suites are, with what these use of the others;
///   nil for none.
func tests(_ name: String, _ subjects: [Target.Dependency], heavy: [String]? = nil) -> Target? {
  if isHeavyAlone, heavy == nil { return nil }
  return .testTarget(
    name: name, dependencies: subjects + ["TarnTestSupport"], sources: isHeavyAlone ? heavy : nil,
    swiftSettings: settings)
}

let package = Package(
  name: "tarn",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Tarn", targets: ["Tarn"]),
    .library(name: "TarnCDC", targets: ["TarnCDC"]),
    .library(name: "TarnIngest", targets: ["TarnIngest"]),
    .library(name: "TarnParquet", targets: ["TarnParquet"]),
    .library(name: "TarnColumns", targets: ["TarnColumns"]),
    .library(name: "TarnExpressions", targets: ["TarnExpressions"]),
    .library(name: "TarnStorage", targets: ["TarnStorage"]),
    .library(name: "TarnStorageContract", targets: ["TarnStorageContract"]),
    .library(name: "TarnTimeline", targets: ["TarnTimeline"]),
    .library(name: "TarnAWS", targets: ["TarnAWS"]),
    .library(name: "TarnS3", targets: ["TarnS3"]),
    .library(name: "DynamoDBJSON", targets: ["DynamoDBJSON"]),
    .library(name: "TarnFoundation", targets: ["TarnFoundation"]),
    .executable(name: "tarn", targets: ["TarnCommand"]),
  ],
  targets: [
    // System libraries.
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    // These two are for TarnAWS alone, and loaded at their first use: to build it takes the headers of libcurl.
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl3"]), .brew(["openssl@3"])]),

    // Calls of the kernel, and of glibc, that Swift's module of the C library leaves out.
    .systemLibrary(name: "CFileCopy"),
    .systemLibrary(name: "CMalloc"),

    // The rooms, from the ground up: each imports only rooms below it.
    room("TarnBytes", ["CZlib"]),
    room("TarnCompression", ["TarnBytes", "CZlib", "CZstd"]),
    room("TarnColumns", ["TarnBytes"]),
    room("TarnExpressions", ["TarnBytes", "TarnColumns"]),
    room("DynamoDBJSON", ["TarnBytes"]),
    room("TarnStorage", ["TarnBytes", "CFileCopy"]),
    room("TarnStorageContract", ["TarnStorage"]),
    room("TarnAvro", ["TarnBytes", "TarnColumns", "TarnCompression"]),
    room(
      "TarnParquet", ["TarnBytes", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnCompression"]),
    room("TarnLogs", ["TarnBytes", "TarnStorage"]),
    room("TarnTimeline", ["TarnBytes", "TarnColumns", "TarnStorage", "TarnAvro", "TarnLogs"]),
    room("TarnIndex", ["TarnBytes", "TarnColumns", "TarnStorage", "TarnAvro", "TarnTimeline"]),
    room(
      "TarnFileGroups",
      [
        "TarnBytes", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnAvro", "TarnParquet",
        "TarnTimeline", "TarnIndex",
      ]),
    room(
      "Tarn",
      [
        "TarnBytes", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnAvro", "TarnParquet",
        "TarnTimeline", "TarnIndex", "TarnFileGroups",
      ]),
    room("TarnAWS", ["TarnBytes", "CCurl", "CCrypto"]),
    room("TarnS3", ["Tarn", "TarnStorage", "TarnAWS", "TarnBytes"]),
    room(
      "TarnCDC",
      ["TarnBytes", "TarnColumns", "TarnStorage", "TarnCompression", "TarnParquet", "DynamoDBJSON"]),
    room("TarnIngest", ["Tarn", "TarnCDC", "TarnColumns", "TarnStorage", "TarnTimeline", "TarnBytes"]),
    room(
      "TarnFoundation",
      [
        "Tarn", "TarnCDC", "TarnColumns", "TarnExpressions", "TarnParquet", "TarnStorage", "TarnTimeline",
        "DynamoDBJSON",
      ]),
    .executableTarget(
      name: "TarnCommand",
      dependencies: [
        "Tarn", "TarnCDC", "TarnColumns", "TarnExpressions", "TarnParquet", "TarnStorage", "TarnBytes",
        "TarnTimeline", "TarnFileGroups", "TarnAvro", "TarnS3", "CMalloc",
      ],
      swiftSettings: settings),

    // The fake world, and the tests.
    .target(
      name: "TarnTestSupport",
      dependencies: ["TarnAvro", "TarnBytes", "TarnColumns", "TarnStorage"],
      path: "Tests/TarnTestSupport", swiftSettings: settings),
    .target(
      name: "TarnS3TestSupport",
      dependencies: ["TarnS3", "TarnAWS", "TarnStorage", "TarnTestSupport"],
      path: "Tests/TarnS3TestSupport", swiftSettings: settings),
  ]
    + [
      tests("TarnBytesTests", ["TarnBytes"]),
      tests("TarnColumnsTests", ["TarnColumns", "TarnBytes"]),
      tests("TarnExpressionsTests", ["TarnExpressions", "TarnColumns"]),
      tests(
        "TarnTests",
        [
          "Tarn", "TarnColumns", "TarnExpressions", "TarnFileGroups", "TarnStorage", "TarnTimeline",
          "TarnParquet", "TarnBytes",
        ],
        heavy: [
          "Fixtures", "Services/ArchiveTests.swift", "Services/ClusterTests.swift",
          "Services/RecordedTable.swift",
          "Services/ReplaceTests.swift", "Services/RetractionCrashTests.swift",
          "Services/SmallFileTable.swift",
          "Writes/RequestBudgetTests.swift",
        ]),
      tests(
        "ModelTests",
        [
          "Tarn", "TarnAWS", "TarnBytes", "TarnColumns", "TarnIndex", "TarnParquet", "TarnS3",
          "TarnS3TestSupport",
          "TarnStorage", "TarnTimeline",
        ], heavy: ["."]),
      tests(
        "CrashTests",
        ["Tarn", "TarnBytes", "TarnColumns", "TarnStorage", "TarnStorageContract", "TarnTimeline"],
        heavy: ["."]),
      tests("ExplorerTests", ["Tarn", "TarnColumns", "TarnStorage", "TarnTimeline"], heavy: ["."]),
      tests("TarnStorageTests", ["TarnBytes", "TarnStorage", "TarnStorageContract"]),
      tests(
        "ForeignTests",
        [
          "Tarn", "TarnCDC", "TarnCompression", "TarnBytes", "TarnColumns", "TarnIngest", "TarnParquet",
          "TarnStorage", "TarnTimeline",
        ], heavy: ["."]),
      tests("TarnAvroTests", ["TarnAvro", "TarnBytes", "TarnColumns"]),
      tests("TarnLogsTests", ["TarnLogs", "TarnAvro", "TarnBytes", "TarnStorage"]),
      tests(
        "TarnTimelineTests", ["TarnTimeline", "TarnAvro", "TarnBytes", "TarnColumns", "TarnStorage"]),
      tests("TarnCompressionTests", ["TarnCompression", "TarnBytes"]),
      tests(
        "TarnParquetTests",
        ["TarnParquet", "TarnBytes", "TarnColumns", "TarnCompression", "TarnExpressions", "TarnStorage"],
        heavy: ["Check/DamageTests.swift", "Splice/DamagedSpliceHeavyTests.swift", "Support"]),
      tests(
        "TarnCommandTests",
        ["TarnBytes", "TarnColumns", "TarnCompression", "TarnParquet", "TarnStorage"],
        heavy: [
          "Input/MemoryHeavyTests.swift", "Parquet/NestedConditionHeavyTests.swift",
          "Services/KilledServicesHeavyTests.swift", "Support",
          "Tables/ManyProcessesHeavyTests.swift",
        ]),
      tests("TarnIndexTests", ["TarnIndex", "TarnBytes", "TarnColumns", "TarnStorage", "TarnTimeline"]),
      tests("TarnAWSTests", ["TarnAWS", "TarnBytes"]),
      tests(
        "TarnS3Tests",
        [
          "TarnS3", "Tarn", "TarnAWS", "TarnColumns", "TarnExpressions", "TarnStorage", "TarnStorageContract",
          "TarnParquet", "TarnTimeline", "TarnS3TestSupport",
        ], heavy: ["Tables/ReadersForeignTests.swift"]),
      tests("TidyTests", [], heavy: ["."]),
      tests(
        "TarnFoundationTests",
        [
          "TarnFoundation", "Tarn", "TarnCDC", "TarnColumns", "TarnExpressions", "TarnStorage",
          "TarnTimeline",
          "DynamoDBJSON",
        ]),
      tests("DynamoDBJSONTests", ["DynamoDBJSON", "TarnBytes"]),
      tests(
        "TarnCDCTests",
        [
          "TarnCDC", "TarnBytes", "TarnColumns", "TarnCompression", "TarnParquet", "TarnStorage",
          "DynamoDBJSON",
        ]),
      tests("TarnIngestTests", ["TarnIngest", "Tarn", "TarnBytes", "TarnCDC", "TarnColumns", "TarnStorage"]),
    ].compactMap(\.self)
)
