import Synchronization
import TarnAWS
import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
import Testing

/// Objects on a real server.
@Suite("Objects on a real S3 server") struct ObjectTests {
  /// Bytes of which each block tells where it is from.
  private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
  }

  @Test("A large object arrives in parts, and long ranges of it are copied by the server")
  func partsAndCopies() async throws {
    let server = try await RealServer()
    let client = try S3Client(server.options { $0.partSize = 5 << 20 })
    let storage = try S3Storage(server.location(), client: client)
    let source = Self.bytes(27 << 20, seed: 1)
    let first = try await storage.writer(at: "source")
    for start in stride(from: 0, to: source.count, by: 1_000_003) {
      try await first.write(Array(source[start..<min(start + 1_000_003, source.count)]))
    }
    let tag = try await first.finish(if: .always)
    #expect(try await storage.info(of: "source").tag == tag)
    #expect(try await storage.read("source", range: 0..<source.count) == source)
    #expect(try await storage.read("source", range: 5..<(12 << 20)) == Array(source[5..<(12 << 20)]))

    let before = client.counts
    let second = try await storage.writer(at: "copy")
    try await second.write([1, 2, 3])
    try await second.copy(100..<(12 << 20), of: "source", tag: tag)
    try await second.write([4])
    try await second.copy(0..<50, of: "source", tag: tag)
    try await second.copy((12 << 20)..<source.count, of: "source", tag: tag)
    try await second.write([5])
    _ = try await second.finish(if: .always)
    let moved = client.counts
    var expected: [UInt8] = [1, 2, 3]
    expected += source[100..<(12 << 20)]
    expected.append(4)
    expected += source[0..<50]
    expected += source[(12 << 20)...]
    expected.append(5)
    #expect(try await storage.get("copy", limit: 1 << 30).bytes == expected)
    // Of 27 MiB, two parts of the least size crossed the network, each way.
    #expect(moved.received - before.received < 11 << 20 && moved.sent - before.sent < 11 << 20)
  }

  @Test("A range of what was replaced is not copied by the server either")
  func copiesOfReplaced() async throws {
    let server = try await RealServer()
    let storage = try server.storage { $0.partSize = 5 << 20 }
    let old = try await storage.put(Self.bytes(12 << 20, seed: 2), at: "source", if: .always)
    let writer = try await storage.writer(at: "copy")
    try await writer.copy(0..<(6 << 20), of: "source", tag: old)
    try await storage.put(Self.bytes(12 << 20, seed: 3), at: "source", if: .always)
    do throws(StorageError) {
      try await writer.copy((6 << 20)..<(12 << 20), of: "source", tag: old)
      _ = try await writer.finish(if: .always)
      Issue.record("two versions were mixed")
    } catch { #expect(error.code == .changed) }
    #expect(try await !storage.exists("copy"))
    // What it had sent was removed.
    try await storage.removeUnfinished(before: .max)
  }

  @Test("What was replaced since it was put is moved as it is by now")
  func moveOfReplaced() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let (first, second) = (
      try S3Storage(location, client: try S3Client(server.options())),
      try S3Storage(location, client: try S3Client(server.options()))
    )
    try await first.put([1], at: "a", if: .always)
    try await second.put([2, 2], at: "a", if: .always)
    try await first.move("a", to: "b")
    #expect(try await first.listAll(prefix: "").objects.map(\.path) == ["b"])
    #expect(try await first.get("b", limit: 10).bytes == [2, 2])
  }

  @Test("A conditional finish of an object in parts is refused where this server would ignore it")
  func conditionalParts() async throws {
    let server = try await RealServer()
    let storage = try server.storage { $0.partSize = 5 << 20 }
    try await storage.put([1], at: "a", if: .ifAbsent)
    let writer = try await storage.writer(at: "a")
    try await writer.write(Self.bytes(6 << 20, seed: 4))
    do throws(StorageError) {
      _ = try await writer.finish(if: .ifAbsent)
      Issue.record("it was replaced")
    } catch { #expect(error.code == .unsupported || error.code == .preconditionFailed) }
    #expect(try await storage.get("a", limit: 10).bytes == [1])
    #expect(try await storage.listAll(prefix: "").objects.map(\.path) == ["a"])
  }

  @Test("What nobody finished is removed, and no younger than the time")
  func unfinished() async throws {
    let server = try await RealServer()
    let client = try S3Client(server.options { $0.partSize = 5 << 20 })
    let storage = try S3Storage(server.location(), client: client)
    let writer = try await storage.writer(at: "a b/é")
    try await writer.write(Self.bytes(5 << 20, seed: 5))
    // The clocks of both may differ by what a test takes.
    try await storage.removeUnfinished(before: client.serverTime - 60_000_000)
    try await storage.removeUnfinished(before: client.serverTime + 60_000_000)
    do throws(StorageError) {
      _ = try await writer.finish(if: .always)
      Issue.record("its parts were to be gone")
    } catch { #expect(error.code == .failed || error.code == .unknown) }
    #expect(try await storage.listAll(prefix: "").objects.isEmpty)
  }

  @Test("Twenty clients race to create an object: one wins each round, and each learns how it ended")
  func creators() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let storages = try (0..<20).map { _ in try S3Storage(location, client: try S3Client(server.options())) }
    for round in 0..<5 {
      let winners = try await race(storages, "object\(round)", round, if: .ifAbsent)
      let stored = try await storages[0].get("object\(round)", limit: 100).bytes
      #expect(winners.count == 1 && winners.first.map { Self.content($0, round) } == stored)
    }
  }

  @Test("Twenty clients race to swap an object: one wins each round, and each learns how it ended")
  func swappers() async throws {
    let server = try await RealServer()
    let location = try server.location()
    let storages = try (0..<20).map { _ in try S3Storage(location, client: try S3Client(server.options())) }
    var tag = try await storages[0].put([1], at: "head", if: .ifAbsent)
    for round in 0..<5 {
      let winners = try await race(storages, "head", round, if: .ifMatches(tag))
      let stored = try await storages[0].get("head", limit: 100)
      #expect(winners.count == 1 && winners.first.map { Self.content($0, round) } == stored.bytes)
      tag = stored.tag
    }
  }

  private static func content(_ client: Int, _ round: Int) -> [UInt8] {
    Array("client \(client) in round \(round)".utf8)
  }

  /// Who won; every other must have been refused.
  ///
  /// This server fails where two swaps meet: who does not know looks at what is there once all are done, as no second
  /// swap of a round can succeed.
  private func race(
    _ storages: [S3Storage], _ path: String, _ round: Int, if condition: PutCondition
  ) async throws -> [Int] {
    let codes = await withTaskGroup(of: (Int, StorageError.Code?).self) { group in
      for (number, storage) in storages.enumerated() {
        group.addTask {
          do throws(StorageError) {
            try await storage.put(Self.content(number, round), at: path, if: condition)
            return (number, nil)
          } catch { return (number, error.code) }
        }
      }
      return await group.reduce(into: [Int: StorageError.Code?]()) { $0[$1.0] = .some($1.1) }
    }
    let stored = try await storages[0].get(path, limit: 100).bytes
    return codes.keys.filter { number in
      switch codes[number] {
      case .some(.none): return true
      case .some(.some(.preconditionFailed)): return false
      case .some(.some(.unknown)): return stored == Self.content(number, round)
      default:
        Issue.record("client \(number) learnt nothing: \(String(describing: codes[number]))")
        return false
      }
    }
  }

  @Test("A bucket that is not there, and wrong credentials, are told of in a line")
  func wrongPlaces() async throws {
    let server = try await RealServer()
    let missing = try S3Storage(
      S3Location("s3://no-such-bucket-here"), client: try S3Client(server.options()))
    do throws(StorageError) { _ = try await missing.get("a", limit: 1) } catch {
      #expect(error.code == .failed && error.message.contains("there is no bucket"))
    }
    let stranger = try server.storage {
      $0.credentials = StaticCredentials(
        AWSCredentials(accessKeyID: server.credentials.accessKeyID, secretAccessKey: Secret("wrong")))
    }
    do throws(StorageError) { _ = try await stranger.get("a", limit: 1) } catch {
      #expect(error.code == .permissionDenied && error.message.contains("SignatureDoesNotMatch"))
      #expect(!"\(error)".contains("wrong"))
    }
    let anonymous = try server.storage { $0.isAnonymous = true }
    do throws(StorageError) { try await anonymous.put([1], at: "a", if: .always) } catch {
      #expect(error.code == .permissionDenied && error.message.contains("s3:PutObject"))
    }
  }

  @Test("A cancelled task still puts and deletes, and reads no more")
  func cancellation() async throws {
    let server = try await RealServer()
    let storage = try server.storage()
    try await storage.put([1], at: "a", if: .always)
    let task = Task { () -> StorageError.Code? in
      while !Task.isCancelled { await Task.yield() }
      _ = try? await storage.put([2], at: "b", if: .always)
      _ = await storage.delete(["a"])
      do throws(StorageError) { _ = try await storage.get("b", limit: 1) } catch { return error.code }
      return nil
    }
    task.cancel()
    #expect(await task.value == .cancelled)
    #expect(try await storage.listAll(prefix: "").objects.map(\.path) == ["b"])
  }
}
