import Foundation

/// A stand-in for a delivery stream of Firehose: takes records, lets a function transform them, and leaves objects as the
/// service does.
@main
struct DeliveryStream {
  private static let usage = """
    usage: DeliveryStream --function BOOTSTRAP --to FOLDER [options] [FILE...]
      Each line of the files, or of standard input, is one record.
      --name NAME            the stream's name (stream)
      --prefix PREFIX        what stands before an object's name, as !{timestamp:yyyy/MM/dd}/ or !{partitionKeyFromLambda:k}/
      --error-prefix PREFIX  the same of failed records (!{firehose:error-output-type}/)
      --function-bytes N     records that the function gets at once (1048576)
      --bytes N              bytes after which an object is written (5242880)
      --seconds N            seconds after which one is (300)
    """

  static func main() throws {
    do { try run() } catch {
      FileHandle.standardError.write(Data("DeliveryStream: \(error)\n".utf8))
      exit(error is UsageError ? 64 : 1)
    }
  }

  private struct UsageError: Error, CustomStringConvertible {
    let description: String
  }

  private static func run() throws {
    var settings = Settings()
    var (bootstrap, folder): (String?, String?) = (nil, nil)
    var files: [String] = []
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
      guard argument.hasPrefix("--") else {
        files.append(argument)
        continue
      }
      guard let value = arguments.popFirst() else { throw UsageError(description: usage) }
      switch argument {
      case "--function": bootstrap = value
      case "--to": folder = value
      case "--name": settings.name = value
      case "--prefix": settings.prefix = value
      case "--error-prefix": settings.errorPrefix = value
      case "--function-bytes": settings.functionBuffer = try number(value)
      case "--bytes": settings.buffer = try number(value)
      case "--seconds":
        settings.interval = Int64(try number(value)) * 1_000
        settings.functionInterval = min(settings.functionInterval, settings.interval)
      default: throw UsageError(description: "\(argument) is not known\n\(usage)")
      }
    }
    guard let bootstrap, let folder else { throw UsageError(description: usage) }
    let function = try FunctionProcess(bootstrap)
    defer { function.end() }
    var delivery = Delivery(settings) {
      try function.invoke($0)
    } write: { path, bytes in
      let url = URL(fileURLWithPath: folder).appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url, options: .atomic)
      print(path)
    }
    for file in files.isEmpty ? ["/dev/stdin"] : files {
      let descriptor = open(file, O_RDONLY)
      guard descriptor >= 0 else { throw UsageError(description: "\(file) cannot be opened") }
      defer { close(descriptor) }
      var source = LineSource(descriptor: descriptor)
      reading: while true {
        switch source.next() {
        case .lines(let lines): for line in lines { try delivery.take(line, now: now()) }
        case .nothing: break
        case .end: break reading
        }
        try delivery.tick(now: now())
      }
    }
    try delivery.end(now: now())
    let counts = delivery.counts
    FileHandle.standardError.write(
      Data(
        ("\(counts.records) records: \(counts.transformed) delivered, \(counts.dropped) dropped, "
          + "\(counts.failed) failed, in \(counts.objects) objects\n").utf8))
  }

  private static func number(_ text: String) throws -> Int {
    guard let number = Int(text), (1...1 << 30).contains(number) else {
      throw UsageError(description: "\(text) is no number from 1 to \(1 << 30)")
    }
    return number
  }

  private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
