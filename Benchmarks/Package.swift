// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "tarn-benchmarks",
  platforms: [.macOS(.v26)],
  products: [.executable(name: "TarnBenchmarks", targets: ["TarnBenchmarks"])],
  dependencies: [.package(name: "tarn", path: "..")],
  targets: [
    .executableTarget(
      name: "TarnBenchmarks",
      dependencies: [
        .product(name: "DynamoDBJSON", package: "tarn"),
        .product(name: "Tarn", package: "tarn"),
        .product(name: "TarnCDC", package: "tarn"),
        .product(name: "TarnColumns", package: "tarn"),
        .product(name: "TarnParquet", package: "tarn"),
        .product(name: "TarnS3", package: "tarn"),
        .product(name: "TarnStorage", package: "tarn"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")])
  ]
)
