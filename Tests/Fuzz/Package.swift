// swift-tools-version: 6.2
import PackageDescription

// `run --self-test` builds faults in, which fuzzing must find.
let faults: [SwiftSetting] = Context.environment["TARN_FUZZ_FAULTS"] == nil ? [] : [.define("PLANTED_FAULT")]

// A package of its own, since everything in it and below it is built with `--sanitize fuzzer`.
let package = Package(
  name: "tarn-fuzz",
  platforms: [.macOS(.v26)],
  products: [.executable(name: "Fuzz", targets: ["Fuzz"])],
  dependencies: [.package(name: "tarn", path: "../..")],
  targets: [
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        .product(name: "DynamoDBJSON", package: "tarn"),
        .product(name: "TarnCDC", package: "tarn"),
        .product(name: "TarnColumns", package: "tarn"),
        .product(name: "TarnParquet", package: "tarn"),
        .product(name: "TarnStorage", package: "tarn"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")] + faults)
  ]
)
