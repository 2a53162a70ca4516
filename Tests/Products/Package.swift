// swift-tools-version: 6.2
import PackageDescription

/// A target that imports one product, and compiles the examples of its documents, which `run` copies into it.
///
/// - Parameter context: The products of which the values are that the examples take for given.
func uses(_ product: String, context: [String] = []) -> Target {
  .target(
    name: "Uses" + product,
    dependencies: ([product] + context).map { .product(name: $0, package: "tarn") },
    swiftSettings: [
      .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ])
}

// A package of its own, as any user's is: what is `package` in Tarn cannot be used here.
let package = Package(
  name: "tarn-products",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "tarn", path: "../..")],
  targets: [
    uses("Tarn"),
    uses("TarnCDC", context: ["TarnColumns", "TarnStorage"]),
    uses("TarnIngest", context: ["Tarn"]),
    uses("TarnParquet"),
    uses("TarnColumns"),
    uses("TarnExpressions"),
    uses("TarnStorage"),
    uses("TarnStorageContract", context: ["TarnStorage"]),
    uses("TarnTimeline"),
    uses("TarnAWS"),
    uses("TarnS3", context: ["Tarn", "TarnAWS", "TarnStorage"]),
    uses("DynamoDBJSON"),
    uses("TarnFoundation"),
  ]
)
