import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// What a server says of sizes is not believed beyond reason.
@Suite("Sizes that servers tell") struct ToldSizeTests {
  @Test(
    "An object of no possible size is an answer that is none",
    arguments: ["-1", "9223372036854775807", "x", "1e3"])
  func heads(size: String) async throws {
    let store = try ScriptedStore { _ in
      ScriptedStore.Answer([
        .send(Array("HTTP/1.1 200 OK\r\nETag: \"t\"\r\nContent-Length: \(size)\r\n\r\n".utf8)), .close,
      ])
    }
    let error = await store.failure { storage throws(StorageError) in _ = try await storage.info(of: "a") }
    #expect(error.code == .failed)
  }

  @Test(
    "A range that the answer misstates is refused",
    arguments: [
      "bytes 0-9/5", "bytes 5-0/10", "bytes 0-9223372036854775807/*", "bytes -1-9/10", "0-9/10",
      "bytes 0-99/9223372036854775807",
      "bytes 1-10/100", "bytes 0-10/100", "bytes */10",
    ])
  func parts(range: String) async throws {
    let store = try ScriptedStore { _ in
      .status(206, [("ETag", "\"t\""), ("Content-Range", range)], bytes: [UInt8](repeating: 1, count: 10))
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.read("a", range: 0..<10)
    }
    #expect(error.code == .failed)
  }

  @Test("A listing with an object of no possible size is none", arguments: ["-1", "9223372036854775808", ""])
  func listings(size: String) async throws {
    let store = try ScriptedStore { _ in
      .status(
        200,
        body: "<ListBucketResult><Contents><Key>root/a</Key><Size>\(size)</Size>"
          + "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>")
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.listAll(prefix: "")
    }
    #expect(error.code == .failed)
  }
}
