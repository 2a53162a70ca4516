import Foundation

/// The folders in which benchmarks work, and the program that they run.
struct Workshop {
  /// Where data is kept from run to run.
  let data: String
  /// Where tables are made.
  let tables: String
  /// The program `tarn`; empty where none is needed.
  let tarn: String
  /// The folder of this package.
  var package: String { Self.package.path }

  private static let package: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  /// Makes the folders.
  init(tarn: String = "") throws {
    data = Self.package.appendingPathComponent(".build/data").path
    tables = Self.package.appendingPathComponent(".build/tables").path
    for folder in [data, tables] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    self.tarn = tarn
  }

  /// Builds `tarn` in release mode.
  static func build() throws -> String {
    let root = package.deletingLastPathComponent().path
    let arguments = ["build", "-c", "release", "--package-path", root, "--product", "tarn"]
    _ = try Child.run("swift", arguments)
    return root + "/.build/release/tarn"
  }

  /// Makes a benchmark's data, in a process of its own, unless it is there.
  func dataFile(of benchmark: any Benchmark) throws -> String {
    let path = data + "/" + benchmark.dataFile
    guard !FileManager.default.fileExists(atPath: path) else { return path }
    _ = try Child.run(thisProgram, ["--make", benchmark.name, path + ".new"])
    try FileManager.default.moveItem(atPath: path + ".new", toPath: path)
    return path
  }

  /// The path of this program.
  var thisProgram: String {
    Bundle.main.executablePath ?? CommandLine.arguments[0]
  }

  /// Runs a benchmark once, into a table that is removed afterwards.
  func run(_ benchmark: any Benchmark, data: String) throws -> Run {
    let table = tables + "/" + benchmark.name
    try remove(table)
    let usage = try Child.run(tarn, benchmark.arguments(table: table, data: data))
    defer { try? remove(table) }
    return Run(usage: usage, bytesWritten: Self.size(of: table))
  }

  private func remove(_ path: String) throws {
    if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
  }

  /// The bytes of all files below a path, or of the file that it is.
  static func size(of path: String) -> Int {
    let files = FileManager.default
    func bytes(_ path: String) -> Int {
      let attributes = try? files.attributesOfItem(atPath: path)
      guard attributes?[.type] as? FileAttributeType == .typeRegular else { return 0 }
      return attributes?[.size] as? Int ?? 0
    }
    let below = (try? files.subpathsOfDirectory(atPath: path)) ?? []
    return bytes(path) + below.reduce(0) { $0 + bytes(path + "/" + $1) }
  }
}

/// What one run of a benchmark took.
struct Run {
  var usage: Usage
  /// Size of the table.
  var bytesWritten: Int
}
