import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// Deletions, moves and uploads whose answers are not what one hopes for.
@Suite("Changing objects of S3") struct ChangingTests {
  @Test("Many are deleted by one request, and each key's own error is looked at")
  func deletions() async throws {
    let store = try ScriptedStore { request in
      if request.number == 0 {
        return .status(
          200,
          body: "<DeleteResult><Deleted><Key>root/a</Key></Deleted>"
            + "<Error><Key>root/b&amp;</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
            + "<Error><Key>root/c</Key><Code>InternalError</Code></Error>"
            + "<Error><Key>root/d</Key><Code>NoSuchKey</Code></Error></DeleteResult>")
      }
      return .status(200, body: "<DeleteResult><Deleted><Key>root/c</Key></Deleted></DeleteResult>")
    }
    let failures = await store.storage.delete(["a", "b&", "c", "d", "../e"])
    #expect(failures.map(\.code) == [.invalidPath, .permissionDenied])
    #expect(failures.last?.path == "b&" && failures.last?.message.contains("s3:DeleteObject") == true)
    #expect(store.requests.map(\.target) == ["/bucket?delete=", "/bucket?delete="])
    try #require(store.requests.count == 2)
    #expect(store.requests[0].text.contains("<Key>root/b&amp;</Key>"))
    #expect(store.requests[1].text.contains("root/c") && !store.requests[1].text.contains("root/a"))
    #expect(store.requests[0]["content-md5"]?.count == 24)
  }

  @Test("Where a server cannot delete many at once, and for keys that XML cannot hold, each goes alone")
  func singleDeletions() async throws {
    let store = try ScriptedStore { request in
      request.method == "POST" ? .status(501, body: ScriptedStore.error("NotImplemented")) : .status(204)
    }
    for _ in 0..<2 { #expect(await store.storage.delete(["a", "b"]).isEmpty) }
    #expect(store.methods.sorted() == ["DELETE", "DELETE", "DELETE", "DELETE", "POST"])
    let control = try ScriptedStore { request in
      request.method == "POST"
        ? .status(
          200,
          body:
            "<DeleteResult><Deleted><Key>root/a</Key></Deleted><Deleted><Key>root/b</Key></Deleted></DeleteResult>"
        )
        : .status(204)
    }
    #expect(await control.storage.delete(["a", "b", "c\u{1}"]).isEmpty)
    #expect(control.methods.sorted() == ["DELETE", "POST"])
  }

  @Test("A key that the answer does not name may still be there")
  func unnamedDeletion() async throws {
    let store = try ScriptedStore { _ in
      .status(200, body: "<DeleteResult><Deleted><Key>root/a</Key></Deleted></DeleteResult>")
    }
    let failures = await store.storage.delete(["a", "b"])
    #expect(failures.map(\.code) == [.unknown] && failures.map(\.path) == ["b"])
  }

  @Test("Who is told that nothing is there, and not by the store, deletes and moves nothing")
  func foreignAbsence() async throws {
    let store = try ScriptedStore { request in
      request.method == "HEAD"
        ? ScriptedStore.tagged("t") : .status(404, [("content-type", "text/plain")], body: "no such page")
    }
    #expect(await store.storage.delete(["a"]).map(\.code) == [.failed])
    let error = await store.failure { storage throws(StorageError) in try await storage.move("a", to: "b") }
    #expect(error.code == .failed, "\(error)")
    let honest = try ScriptedStore { request in
      request.method == "HEAD"
        ? ScriptedStore.tagged("t") : .status(404, body: ScriptedStore.error("NoSuchKey"))
    }
    #expect(await honest.storage.delete(["a"]).isEmpty)
    let gone = await honest.failure { storage throws(StorageError) in try await storage.move("a", to: "b") }
    #expect(gone.code == .notFound, "\(gone)")
  }

  @Test("Keys are told apart by their bytes, also where they look alike")
  func deletionsOfLookAlikes() async throws {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
    let store = try ScriptedStore { _ in
      .status(
        200,
        body: "<DeleteResult><Deleted><Key>root/\(composed)</Key></Deleted>"
          + "<Error><Key>root/\(decomposed)</Key><Code>AccessDenied</Code></Error></DeleteResult>")
    }
    let failures = await store.storage.delete([composed, decomposed])
    #expect(failures.map(\.code) == [.permissionDenied])
    #expect(failures.first.map { Array($0.path.utf8) } == Array(decomposed.utf8))
    let silent = try ScriptedStore { _ in
      .status(200, body: "<DeleteResult><Deleted><Key>root/\(composed)</Key></Deleted></DeleteResult>")
    }
    let unknown = await silent.storage.delete([composed, decomposed])
    #expect(unknown.map(\.code) == [.unknown])
    #expect(unknown.first.map { Array($0.path.utf8) } == Array(decomposed.utf8))
  }

  private static let copied = ScriptedStore.Answer.status(
    200, body: "<CopyObjectResult><ETag>&quot;t&quot;</ETag></CopyObjectResult>")

  @Test("A move copies on the tag of its source, and then deletes")
  func move() async throws {
    let store = try ScriptedStore { request in
      switch request.method {
      case "HEAD": ScriptedStore.tagged("t")
      case "PUT": Self.copied
      default: .status(204)
      }
    }
    try await store.storage.move("a b", to: "c")
    #expect(store.methods == ["HEAD", "PUT", "DELETE"])
    #expect(store.requests[1]["x-amz-copy-source"] == "/bucket/root/a%20b")
    #expect(store.requests[1]["x-amz-copy-source-if-match"] == "\"t\"")
    #expect(store.requests[1].path == "/bucket/root/c" && store.requests[2].path == "/bucket/root/a%20b")
  }

  @Test("Who has just put what is moved need not ask for its tag; a tag that is old is asked for")
  func moveOfKnown() async throws {
    let store = try ScriptedStore { request in
      switch request.method {
      case "HEAD": return ScriptedStore.tagged("newer")
      case "PUT" where request["x-amz-copy-source"] != nil:
        return request["x-amz-copy-source-if-match"] == "\"newer\"" ? Self.copied : .status(412)
      case "PUT": return ScriptedStore.tagged("t")
      default: return .status(204)
      }
    }
    try await store.storage.put([1], at: "a", if: .ifAbsent)
    try await store.storage.move("a", to: "b")
    #expect(store.methods == ["PUT", "PUT", "HEAD", "PUT", "DELETE"])
  }

  @Test("A copy that is an error in a success is one; a lost copy is looked for at its target")
  func lostCopies() async throws {
    for (there, code) in [("t", nil as StorageError.Code?), ("other", .unknown)] {
      let store = try ScriptedStore { request in
        switch (request.method, request.number) {
        case ("HEAD", 0): ScriptedStore.tagged("t")
        case ("HEAD", _): ScriptedStore.tagged(there)
        case ("PUT", 1): .status(200, body: ScriptedStore.error("InternalError"))
        case ("PUT", _): .status(404, body: ScriptedStore.error("NoSuchKey"))
        default: .status(204)
        }
      }
      var seen: StorageError.Code?
      do throws(StorageError) { try await store.storage.move("a", to: "b") } catch { seen = error.code }
      #expect(seen == code)
      #expect(store.methods.last == (code == nil ? "DELETE" : "HEAD"))
    }
    let denied = try ScriptedStore { request in
      request.method == "HEAD"
        ? ScriptedStore.tagged("t") : .status(200, body: ScriptedStore.error("AccessDenied"))
    }
    let error = await denied.failure { storage throws(StorageError) in try await storage.move("a", to: "b") }
    #expect(error.code != .unknown && denied.methods == ["HEAD", "PUT"])
  }

  /// A server that takes uploads in parts, and answers their completion as it is told.
  private static func uploads(
    _ request: WireRequest, found mark: String? = nil, complete: (WireRequest) -> ScriptedServer.Answer
  ) -> ScriptedServer.Answer {
    if request.query.contains("uploads=") {
      return .status(
        200, body: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>")
    }
    switch request.method {
    case "POST": return complete(request)
    case "PUT": return ScriptedStore.tagged("p")
    case "HEAD":
      return .status(
        200,
        [
          ("ETag", "\"whole\""), ScriptedStore.modified, ("x-amz-meta-tarn-upload", mark ?? ""),
          ("content-length", "0"),
        ])
    default: return .status(204)
    }
  }

  private static func write(_ storage: S3Storage, if condition: PutCondition) async throws(StorageError)
    -> ObjectTag
  {
    let writer = try await storage.writer(at: "a")
    try await writer.write([UInt8](repeating: 1, count: 6 << 20))
    return try await writer.finish(if: condition)
  }

  @Test("A completion that is an error in a success fails, and its parts are removed")
  func failedCompletion() async throws {
    let store = try ScriptedStore(prefix: "root", { $0.partSize = 5 << 20 }) { request in
      Self.uploads(request) { _ in .status(200, body: "\n" + ScriptedStore.error("InvalidPart")) }
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await Self.write(storage, if: .always)
    }
    #expect(error.code == .failed && error.message.contains("InvalidPart"))
    #expect(store.requests.last?.method == "DELETE" && store.requests.last?.query == ["uploadId=id"])
    #expect(store.requests.filter { $0.method == "PUT" }.map(\.body.count).sorted() == [1 << 20, 5 << 20])
  }

  @Test("The error of a part comes before that of removing the others")
  func failedPart() async throws {
    let store = try ScriptedStore(prefix: "root", { $0.partSize = 5 << 20 }) { request in
      if request.query.contains("uploads=") { return Self.uploads(request) { _ in .status(500) } }
      return .status(
        403, body: ScriptedStore.error(request.method == "PUT" ? "QuotaExceeded" : "AccessDenied"))
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await Self.write(storage, if: .always)
    }
    #expect(error.code == .noSpace)
    #expect(store.methods.contains("DELETE"))
  }

  @Test("A completion whose answer is lost is recognised by its mark, and else unknown")
  func lostCompletion() async throws {
    for isOwn in [true, false] {
      let marks = Collected()
      let store = try ScriptedStore(prefix: "root", { $0.partSize = 5 << 20 }) { request in
        if let mark = request["x-amz-meta-tarn-upload"] { marks.add(mark) }
        return Self.uploads(request, found: isOwn ? marks.all.first : "other") { request in
          request.number < 4 ? .dropped : .status(404, body: ScriptedStore.error("NoSuchUpload"))
        }
      }
      if isOwn {
        #expect(try await Self.write(store.storage, if: .always) == ObjectTag("whole"))
      } else {
        let error = await store.failure { storage throws(StorageError) in
          _ = try await Self.write(storage, if: .always)
        }
        #expect(error.code == .unknown)
      }
      // While nobody knows, nothing is removed.
      #expect(!store.methods.contains("DELETE"))
    }
  }

  @Test("An object in parts has a condition only where the store heeds it", arguments: [true, false])
  func conditionalCompletion(heeds: Bool) async throws {
    let store = try ScriptedStore(prefix: "root", { $0.partSize = 5 << 20 }) { request in
      if request.path.contains("tarn-completion-"), request.method == "PUT", request.query.isEmpty {
        return ScriptedStore.tagged("scratch")
      }
      return Self.uploads(request) { request in
        if heeds, request.path.contains("tarn-completion-") || request["if-none-match"] == nil {
          return .status(412, body: ScriptedStore.error("PreconditionFailed"))
        }
        return .status(
          200,
          body: "<CompleteMultipartUploadResult><ETag>&quot;w&quot;</ETag></CompleteMultipartUploadResult>")
      }
    }
    if heeds {
      #expect(try await Self.write(store.storage, if: .ifAbsent) == ObjectTag("w"))
    } else {
      let error = await store.failure { storage throws(StorageError) in
        _ = try await Self.write(storage, if: .ifAbsent)
      }
      #expect(error.code == .unsupported)
    }
  }

  @Test("A conflict at a completion says that the parts are gone")
  func conflictingCompletion() async throws {
    let store = try ScriptedStore(prefix: "root", { $0.partSize = 5 << 20 }) { request in
      Self.uploads(request) { _ in .status(409, body: ScriptedStore.error("ConditionalRequestConflict")) }
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await Self.write(storage, if: .always)
    }
    #expect(error.code == .failed && error.message.contains("write it again"))
  }

  @Test(
    "Uploads that nobody finished are found over all pages, by their age and place; who may not look lets them be"
  )
  func unfinished() async throws {
    @Sendable func uploads(_ list: [(key: String, id: String, began: String)], next: String? = nil)
      -> ScriptedServer.Answer
    {
      var text = "<ListMultipartUploadsResult>"
      for upload in list {
        text +=
          "<Upload><Key>\(upload.key)</Key><UploadId>\(upload.id)</UploadId><Initiated>\(upload.began)</Initiated></Upload>"
      }
      if let next {
        text +=
          "<IsTruncated>true</IsTruncated><NextKeyMarker>\(next)</NextKeyMarker>"
          + "<NextUploadIdMarker>2</NextUploadIdMarker>"
      }
      return .status(200, body: text + "</ListMultipartUploadsResult>")
    }
    let old = "2026-01-01T00:00:00.000Z"
    let store = try ScriptedStore { request in
      if request.method == "DELETE" { return .status(request.target.contains("uploadId=2") ? 404 : 204) }
      return request.target.contains("key-marker")
        ? uploads([("root/c", "3", old), ("rooted", "4", old)])
        : uploads(
          [("root/a b", "1", old), ("root/b", "2", old), ("root/new", "5", "2026-01-02T00:00:00.000Z")],
          next: "root/b")
    }
    try await store.storage.removeUnfinished(before: 1_767_225_600_000_001)
    let aborted = store.requests.filter { $0.method == "DELETE" }.map(\.target).sorted()
    #expect(
      aborted == [
        "/bucket/root/a%20b?uploadId=1", "/bucket/root/b?uploadId=2", "/bucket/root/c?uploadId=3",
      ])
    let denied = try ScriptedStore { _ in .status(403, body: ScriptedStore.error("AccessDenied")) }
    try await denied.storage.removeUnfinished(before: .max)
    let failing = try ScriptedStore { _ in .status(500) }
    #expect(
      await failing.failure { storage throws(StorageError) in try await storage.removeUnfinished(before: .max)
      }.code == .failed)
  }

  @Test("Small ranges that lie close together are read by one request")
  func joinedRanges() async throws {
    let source = (0..<100).map { UInt8($0) }
    let store = try ScriptedStore { request in
      switch request.method {
      case "HEAD":
        return ScriptedStore.Answer([
          .send(ScriptedStore.Answer.head(200, [("ETag", "\"t\""), ScriptedStore.modified], length: 100))
        ])
      case "GET":
        let bounds = request["range"]?.dropFirst(6).split(separator: "-").compactMap { Int($0) } ?? []
        guard bounds.count == 2 else { return .status(500) }
        return .status(
          206, [("ETag", "\"t\""), ("Content-Range", "bytes \(bounds[0])-\(bounds[1])/100")],
          bytes: Array(source[bounds[0]...bounds[1]]))
      default: return ScriptedStore.tagged("new")
      }
    }
    let writer = try await store.storage.writer(at: "a")
    for (range, byte) in [(10..<20, 200), (20..<22, 201), (50..<60, 202), (5..<8, 203)]
      as [(Range<Int>, UInt8)]
    {
      try await writer.write([byte])
      try await writer.copy(range, of: "source", tag: ObjectTag("t"))
    }
    _ = try await writer.finish(if: .always)
    #expect(
      store.requests.filter { $0.method == "GET" }.map { $0["range"] ?? "" }.sorted() == [
        "bytes=10-59", "bytes=5-7",
      ])
    let sent = try #require(store.requests.last?.body)
    var expected: [UInt8] = [200]
    expected += source[10..<20]
    expected += [201, 20, 21, 202]
    expected += source[50..<60]
    expected += [203, 5, 6, 7]
    #expect(sent == expected)
    #expect(store.requests.filter { $0.method == "HEAD" }.count == 1)
  }
}
