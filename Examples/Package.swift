// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
  name: "tarn-examples",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "CryptoStream", targets: ["CryptoStream"]),
    .executable(name: "CryptoPipeline", targets: ["CryptoPipeline"]),
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
  ]
)
