// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
  name: "tarn-examples",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "CryptoStream", targets: ["CryptoStream"]),
    .executable(name: "CryptoPipeline", targets: ["CryptoPipeline"]),
    .executable(name: "FirehoseTransformer", targets: ["FirehoseTransformer"]),
    .executable(name: "StreamHandler", targets: ["StreamHandler"]),
    .executable(name: "DeliveryStream", targets: ["DeliveryStream"]),
  ],
  dependencies: [.package(name: "tarn", path: "..")],
  targets: [
    .systemLibrary(
      name: "GzipLibrary", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "CryptoStream",
      dependencies: ["GzipLibrary", .product(name: "TarnColumns", package: "tarn")],
      swiftSettings: settings),
    .executableTarget(
      name: "CryptoPipeline",
      dependencies: [
        "CryptoStream",
        .product(name: "Tarn", package: "tarn"),
        .product(name: "TarnCDC", package: "tarn"),
        .product(name: "TarnColumns", package: "tarn"),
        .product(name: "TarnS3", package: "tarn"),
        .product(name: "TarnStorage", package: "tarn"),
      ],
      swiftSettings: settings),

    // Functions of Lambda, and what stands in for the services around them.
    .target(name: "LambdaRuntime", swiftSettings: settings),
    .target(name: "RuntimeStandIn", dependencies: ["LambdaRuntime"], swiftSettings: settings),
    .executableTarget(
      name: "FirehoseTransformer",
      dependencies: ["LambdaRuntime", .product(name: "TarnCDC", package: "tarn")], swiftSettings: settings,
      // By its linking alone, so that what it is linked from is compiled as it is for all else.
      linkerSettings: [.unsafeFlags(["-static-executable"], .when(platforms: [.linux]))]),
    .executableTarget(
      name: "StreamHandler",
      dependencies: [
        "LambdaRuntime",
        .product(name: "Tarn", package: "tarn"),
        .product(name: "TarnIngest", package: "tarn"),
        .product(name: "TarnS3", package: "tarn"),
        .product(name: "TarnStorage", package: "tarn"),
      ],
      swiftSettings: settings, linkerSettings: [.unsafeFlags(["-static-stdlib"], .when(platforms: [.linux]))]),
    .executableTarget(
      name: "DeliveryStream", dependencies: ["CryptoStream", "LambdaRuntime", "RuntimeStandIn"],
      swiftSettings: settings),
    .testTarget(
      name: "LambdaRuntimeTests", dependencies: ["LambdaRuntime", "RuntimeStandIn"], swiftSettings: settings),
    .testTarget(
      name: "DeliveryStreamTests",
      dependencies: ["DeliveryStream", "RuntimeStandIn", .product(name: "TarnCDC", package: "tarn")],
      swiftSettings: settings),
  ]
)
