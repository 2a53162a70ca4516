import TarnS3
import TarnStorage

/// Reads or writes one large object of S3 from its begin to its end, for the comparison with another client.
enum ObjectTask: String {
  case read, write

  /// How much a reader asks for at a time, and a writer gives.
  private static let step = (read: 32 << 20, write: 1 << 20)

  /// Carries it out.
  ///
  /// - Parameters:
  ///   - folder: An `s3://` URL, under which the object is called `large`.
  ///   - bytes: The object's size.
  /// - Returns: The seconds it took, of which making the client and the bytes are no part.
  func run(folder: String, bytes: Int) async throws -> Double {
    let storage = try S3Storage(S3Location(folder), client: S3Client(S3Options()))
    let steps = stride(from: 0, to: bytes, by: self == .read ? Self.step.read : Self.step.write)
    var numbers = SplitMix64(seed: 7)
    let content = (0..<Self.step.write / 8).flatMap { _ in
      withUnsafeBytes(of: numbers.next()) { Array($0) }
    }
    let begin = ContinuousClock.now
    switch self {
    case .read:
      var buffer = ReadBuffer()
      for start in steps {
        let range = start..<min(start + Self.step.read, bytes)
        try await storage.read("large", range: range, into: &buffer)
        guard buffer.count == range.count else { throw UsageError("too few bytes came") }
      }
    case .write:
      let writer = try await storage.writer(at: "large")
      for start in steps {
        try await writer.write(Array(content.prefix(bytes - start)))
      }
      _ = try await writer.finish(if: .always)
    }
    return (ContinuousClock.now - begin) / .seconds(1)
  }
}
