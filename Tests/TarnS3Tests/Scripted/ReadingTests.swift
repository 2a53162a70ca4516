import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// Reads whose answers break off, change in the middle, or are none.
@Suite("Reading from S3") struct ReadingTests {
  private static let bytes = (0..<100).map { UInt8($0) }

  /// Answers a range of an object as a server does.
  private static func part(_ request: WireRequest, tag: String = "t") -> ScriptedServer.Answer {
    guard let range = range(request) else {
      return .status(200, [("ETag", "\"\(tag)\""), ScriptedStore.modified], bytes: bytes)
    }
    guard range.lowerBound < bytes.count else {
      return .status(416, body: ScriptedStore.error("InvalidRange"))
    }
    let found = range.clamped(to: 0..<bytes.count)
    return .status(206, headers(found, tag), bytes: Array(bytes[found]))
  }

  private static func headers(_ range: Range<Int>, _ tag: String) -> [(String, String)] {
    [
      ("ETag", "\"\(tag)\""),
      ("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.count)"),
    ]
  }

  private static func range(_ request: WireRequest) -> Range<Int>? {
    let bounds = request["range"]?.dropFirst(6).split(separator: "-").compactMap { Int($0) } ?? []
    return bounds.count == 2 ? bounds[0]..<bounds[1] + 1 : nil
  }

  @Test("A range that breaks off is read on from there")
  func breaksOff() async throws {
    let store = try ScriptedStore { request in
      guard request.number < 2, let range = Self.range(request) else { return Self.part(request) }
      return .brokenOff(
        206, Self.headers(range, "t"), length: range.count, after: Array(Self.bytes[range].prefix(7)))
    }
    #expect(try await store.storage.read("a", range: 10..<60) == Array(Self.bytes[10..<60]))
    #expect(store.requests.map { $0["range"] } == ["bytes=10-59", "bytes=17-59", "bytes=24-59"])
  }

  @Test("Where the object was replaced meanwhile, the whole range is read again")
  func replaced() async throws {
    let store = try ScriptedStore { request in
      guard request.number == 0, let range = Self.range(request) else {
        return Self.part(request, tag: "new")
      }
      return .brokenOff(206, Self.headers(range, "old"), length: range.count, after: [1, 2, 3])
    }
    #expect(try await store.storage.read("a", range: 10..<60) == Array(Self.bytes[10..<60]))
    #expect(store.requests.map { $0["range"] } == ["bytes=10-59", "bytes=13-59", "bytes=10-59"])
    let restless = try ScriptedStore { request in
      guard let range = Self.range(request) else { return Self.part(request) }
      return .brokenOff(206, Self.headers(range, "v\(request.number)"), length: range.count, after: [1])
    }
    let error = await restless.failure { storage throws(StorageError) in
      _ = try await storage.read("a", range: 10..<60)
    }
    #expect(error.code == .changed)
  }

  @Test("What does not lie within the object is out of range, also where the server gives less instead")
  func outOfRange() async throws {
    let store = try ScriptedStore { Self.part($0) }
    for range in [100..<101, 90..<101, -1..<3] {
      let error = await store.failure { storage throws(StorageError) in
        _ = try await storage.read("a", range: range)
      }
      #expect(error.code == .outOfRange, "\(range)")
    }
  }

  @Test("A server that gives the whole in place of a range is told of")
  func noRanges() async throws {
    let store = try ScriptedStore { _ in .status(200, [("ETag", "\"t\"")], bytes: Self.bytes) }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.read("a", range: 10..<20)
    }
    #expect(error.code == .failed && error.message.contains("ranges"))
    #expect(try await store.storage.read("a", range: 0..<100) == Self.bytes)
  }

  @Test("A whole object is read again where its checksum is wrong, and only so often")
  func checksums() async throws {
    let store = try ScriptedStore { request in
      .status(
        200, [("ETag", "\"t\""), ("x-amz-checksum-crc32", request.number == 0 ? "AAAAAA==" : "y/Q5Jg==")],
        body: "123456789")
    }
    #expect(try await store.storage.get("a", limit: 100).bytes == Array("123456789".utf8))
    #expect(store.requests.map { $0["x-amz-checksum-mode"] } == ["ENABLED", "ENABLED"])
    let wrong = try ScriptedStore { _ in
      .status(200, [("ETag", "\"t\""), ("x-amz-checksum-crc32", "AAAAAA==")], body: "1")
    }
    let error = await wrong.failure { storage throws(StorageError) in
      _ = try await storage.get("a", limit: 100)
    }
    #expect(error.code == .failed && error.message.contains("checksum"))
  }

  @Test("What is larger than is wanted is not read")
  func tooLarge() async throws {
    let store = try ScriptedStore { Self.part($0) }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.get("a", limit: 99)
    }
    #expect(error.code == .tooLarge && error.message.contains("100 bytes"))
  }
}

/// Listings that come encoded, out of order, or damaged.
@Suite("Listings of S3") struct ListingTests {
  @Test("Keys are decoded exactly once")
  func decoding() async throws {
    let keys = ["root%2Fa%20b", "root/a+c", "root/a%2Bd", "root/a%2525", "root/%C3%A9", "root/%E2%82%AC/x"]
    let store = try ScriptedStore { _ in ScriptedStore.listing(keys) }
    let page = try await store.storage.list(prefix: "", stoppingAtSlash: false, continuation: nil)
    #expect(
      page.objects.map(\.path) == ["a b", "a c", "a%25", "a+d", "é", "€/x"].sorted(by: StoragePath.precedes))
    #expect(page.objects.allSatisfy { $0.tag == ObjectTag("e") && $0.modified == 1_767_323_045_000_000 })
    #expect(store.requests.first?.query.contains("encoding-type=url") == true)
  }

  @Test("What comes in no order is put in order, over all its pages")
  func unordered() async throws {
    let store = try ScriptedStore { request in
      request.target.contains("continuation-token=2")
        ? ScriptedStore.listing(["root/a", "root/c"], folders: ["root/f/", "root/d/"])
        : ScriptedStore.listing(["root/e", "root/b"], folders: ["root/d/"], next: "2")
    }
    for _ in 0..<2 {
      let page = try await store.storage.list(prefix: "", stoppingAtSlash: true, continuation: nil)
      #expect(page.objects.map(\.path) == ["a", "b", "c", "e"])
      #expect(page.folders == ["d/", "f/"] && page.continuation == nil)
    }
  }

  @Test("A key that does not begin with what was asked for is refused, and marks of folders are left out")
  func foreignKeys() async throws {
    let store = try ScriptedStore { request in
      ScriptedStore.listing(
        request.target.contains("prefix=root%2Fbad")
          ? ["root/bad/x", "rooted"] : ["root/", "root/a/", "root/a/b"])
    }
    let page = try await store.storage.list(prefix: "", stoppingAtSlash: false, continuation: nil)
    #expect(page.objects.map(\.path) == ["a/b"])
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.list(prefix: "bad", stoppingAtSlash: false, continuation: nil)
    }
    #expect(error.code == .failed && error.message.contains("rooted"))
  }

  @Test("An answer that is no listing is asked for again, and then told of in a line")
  func garbage() async throws {
    let store = try ScriptedStore { request in
      request.number == 0 ? .status(200, body: "<html><p>proxy") : ScriptedStore.listing(["root/a"])
    }
    #expect(try await store.storage.listAll(prefix: "").objects.map(\.path) == ["a"])
    for body in [
      "", "garbage", "<html><body>Hello</body></html>",
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    ] {
      let broken = try ScriptedStore { _ in .status(200, body: body) }
      let error = await broken.failure { storage throws(StorageError) in
        _ = try await storage.listAll(prefix: "")
      }
      #expect(error.code == .failed && error.message.contains("endpoint") && !error.message.contains("\n"))
    }
  }
}
