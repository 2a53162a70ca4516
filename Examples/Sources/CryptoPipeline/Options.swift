import CryptoStream
import Foundation

/// What the pipeline was asked to do.
struct Options {
  var output = Options.standardOutput
  /// Where the stream's objects and the table lie; nil for the output folder.
  var place: String?
  var verifies = false
  var generatesOnly = false
  var stream = CryptoStream.Options()

  static let usage = """
    usage: CryptoPipeline [OUTPUT] [--at URL] [--verify] [--generate-only] [--changes N] [--batches N] [--seed N]
      OUTPUT           folder for the change stream (landing/) and the table (trades/); by default
                       .build/crypto-pipeline beside the examples. What an earlier run left there is removed.
      --at URL         copy the change stream to s3://bucket/prefix/landing, and keep the table at
                       s3://bucket/prefix/trades, where nothing may be yet; region, endpoint and credentials come from
                       the usual variables and files
      --verify         compare the table with an independent replay of the stream
      --generate-only  write the change stream and stop
      --changes N      number of changes (24000)
      --batches N      number of batches (10)
      --seed N         begin of all randomness (42)
    """

  /// A folder under the package's own build folder.
  private static var standardOutput: String {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.appendingPathComponent(".build/crypto-pipeline").path
  }

  /// Takes the arguments; nil where they ask for help.
  ///
  /// - Throws: ``UsageError``.
  init?(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": return nil
      case "--at":
        guard let url = rest.popFirst(), url.hasPrefix("s3://") else {
          throw UsageError("--at takes a URL as s3://bucket/prefix")
        }
        place = url
      case "--verify": verifies = true
      case "--generate-only": generatesOnly = true
      case "--changes": stream.changes = try Self.number(argument, &rest, 20...10_000_000)
      case "--batches": stream.batches = try Self.number(argument, &rest, 1...10_000)
      case "--seed": stream.seed = UInt64(try Self.number(argument, &rest, 0...Int.max))
      case let other where other.hasPrefix("-"): throw UsageError("unknown option \(other)")
      default: output = argument
      }
    }
  }

  private static func number(
    _ option: String, _ rest: inout ArraySlice<String>, _ range: ClosedRange<Int>
  ) throws(UsageError) -> Int {
    guard let text = rest.popFirst(), let number = Int(text), range.contains(number) else {
      throw UsageError("\(option) takes a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}

/// What is wrong with the arguments.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The folder into which a run writes.
struct OutputFolder {
  let path: String
  var landing: String { path + "/landing" }
  var table: String { path + "/trades" }
  private var mark: String { path + "/.crypto-pipeline" }

  /// Removes what an earlier run left, and nothing else.
  ///
  /// - Throws: ``UsageError`` where something else is there; what the file system throws.
  func prepare() throws {
    let files = FileManager.default
    let isOurs = files.fileExists(atPath: mark)
    for folder in [landing, table] where files.fileExists(atPath: folder) {
      guard isOurs else {
        throw UsageError("\(folder) is there and not from this program: choose another folder")
      }
      try files.removeItem(atPath: folder)
    }
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: mark))
  }
}
