import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// What a storage says of puts whose answers are refusals, errors, or lost.
@Suite("Conditions of puts") struct PutConditionTests {
  private static let own = Array("own".utf8)

  @Test(
    "A refusal counts where the put was sent once",
    arguments: [
      (412, "PreconditionFailed", PutCondition.ifAbsent), (412, "", .ifMatches(ObjectTag("t"))),
      (404, "NoSuchKey", .ifMatches(ObjectTag("t"))),
    ])
  func refused(status: Int, code: String, condition: PutCondition) async throws {
    let store = try ScriptedStore { _ in
      .status(status, body: code.isEmpty ? "" : ScriptedStore.error(code))
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.put(Self.own, at: "a", if: condition)
    }
    #expect(error.code == .preconditionFailed && error.path == "a")
    #expect(store.methods == ["PUT"])
  }

  @Test("The condition and the tag are sent as the protocol has them")
  func headers() async throws {
    let store = try ScriptedStore { _ in ScriptedStore.tagged("new") }
    #expect(try await store.storage.put(Self.own, at: "a b/+", if: .ifAbsent) == ObjectTag("new"))
    _ = try await store.storage.put(Self.own, at: "a", if: .ifMatches(ObjectTag("t")))
    _ = try await store.storage.put(Self.own, at: "a", if: .always)
    #expect(store.requests.map { $0["if-none-match"] } == ["*", nil, nil])
    #expect(store.requests.map { $0["if-match"] } == [nil, "\"t\"", nil])
    #expect(store.requests.first?.target == "/bucket/root/a%20b/%2B")
  }

  @Test("A conflict is no refusal: the put is tried again")
  func conflict() async throws {
    let store = try ScriptedStore { request in
      request.number < 3
        ? .status(409, body: ScriptedStore.error("ConditionalRequestConflict")) : ScriptedStore.tagged("t")
    }
    #expect(try await store.storage.put(Self.own, at: "a", if: .ifAbsent) == ObjectTag("t"))
    #expect(store.methods.count == 4)
    let busy = try ScriptedStore { _ in .status(409, body: ScriptedStore.error("ConditionalRequestConflict"))
    }
    let error = await busy.failure { storage throws(StorageError) in
      _ = try await storage.put(Self.own, at: "a", if: .ifAbsent)
    }
    #expect(error.code == .throttled && busy.methods.allSatisfy { $0 == "PUT" })
  }

  /// What an earlier attempt met, whose answer is no answer.
  enum Loss: Sendable, CaseIterable {
    case dropped, failed, badGateway

    var answer: ScriptedServer.Answer {
      switch self {
      case .dropped: .dropped
      case .failed: .status(500, body: ScriptedStore.error("InternalError"))
      case .badGateway: .status(502, [("content-type", "text/html")], body: "<html>no</html>")
      }
    }
  }

  @Test(
    "A put that was sent twice is won where its own content is there, and else unknown",
    arguments: Loss.allCases)
  func sentTwice(loss: Loss) async throws {
    for (there, isOwn) in [("own", true), ("owl", false), ("owner", false), ("", false)] {
      for condition in [PutCondition.ifAbsent, .ifMatches(ObjectTag("t"))] {
        let store = try ScriptedStore { request in
          switch (request.method, request.number) {
          case ("PUT", 0): loss.answer
          case ("PUT", _): .status(412, body: ScriptedStore.error("PreconditionFailed"))
          default: ScriptedStore.tagged("there", body: there)
          }
        }
        if isOwn {
          let tag = try await store.storage.put(Self.own, at: "a", if: condition)
          #expect(tag == ObjectTag("there"))
        } else {
          let error = await store.failure { storage throws(StorageError) in
            _ = try await storage.put(Self.own, at: "a", if: condition)
          }
          #expect(error.code == .unknown)
        }
        #expect(store.methods == ["PUT", "PUT", "GET"])
      }
    }
  }

  @Test(
    "Whatever a later attempt is told, a put whose first answer was lost is won or unknown",
    arguments: [
      (403, "AccessDenied"), (403, "ExpiredToken"), (409, "ConditionalRequestConflict"),
      (404, "NoSuchBucket"),
      (501, "NotImplemented"), (404, ""), (507, "InsufficientStorage"),
    ])
  func lostAndThenRefused(status: Int, code: String) async throws {
    for isThere in [true, false] {
      let store = try ScriptedStore { request in
        switch (request.method, request.number) {
        case ("PUT", 0): .dropped
        case ("PUT", _):
          code.isEmpty
            ? .status(status, [("content-type", "text/html")], body: "<html>no</html>")
            : .status(status, body: ScriptedStore.error(code))
        default:
          isThere
            ? ScriptedStore.tagged("there", body: "own")
            : .status(404, body: ScriptedStore.error("NoSuchKey"))
        }
      }
      if isThere {
        #expect(try await store.storage.put(Self.own, at: "a", if: .ifAbsent) == ObjectTag("there"))
      } else {
        let error = await store.failure { storage throws(StorageError) in
          _ = try await storage.put(Self.own, at: "a", if: .ifAbsent)
        }
        #expect(error.code == .unknown, "\(error)")
      }
    }
  }

  @Test("A put that may have been taken before it was sent to another region is not lost there")
  func lostAndThenElsewhere() async throws {
    for isThere in [true, false] {
      let store = try ScriptedStore { request in
        switch (request.method, request.number) {
        case ("PUT", 0): .dropped
        case ("PUT", 1): .status(307, [("x-amz-bucket-region", "eu-west-3")])
        case ("PUT", _): .status(412, body: ScriptedStore.error("PreconditionFailed"))
        default: ScriptedStore.tagged("there", body: isThere ? "own" : "other")
        }
      }
      if isThere {
        #expect(try await store.storage.put(Self.own, at: "a", if: .ifAbsent) == ObjectTag("there"))
      } else {
        let error = await store.failure { storage throws(StorageError) in
          _ = try await storage.put(Self.own, at: "a", if: .ifAbsent)
        }
        #expect(error.code == .unknown, "\(error)")
      }
    }
  }

  @Test("A tag that a proxy marked as weak is sent as the server has it")
  func weakTags() async throws {
    let store = try ScriptedStore { request in
      request.method == "PUT"
        ? ScriptedStore.tagged("new")
        : .status(200, [("ETag", "W/\"old\""), ScriptedStore.modified], body: "x")
    }
    let tag = try await store.storage.get("a", limit: 10).tag
    #expect(tag == ObjectTag("old"))
    _ = try await store.storage.put(Self.own, at: "a", if: .ifMatches(tag))
    #expect(store.requests.last?["if-match"] == "\"old\"")
  }

  @Test("An object without bytes is never taken for one's own")
  func emptyIsNobodys() async throws {
    let store = try ScriptedStore { request in
      switch (request.method, request.number) {
      case ("PUT", 0): .dropped
      case ("PUT", _): .status(412)
      default: ScriptedStore.tagged("there")
      }
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.put([], at: "a", if: .ifAbsent)
    }
    #expect(error.code == .unknown)
  }

  @Test("A put without any answer is looked up, and else unknown")
  func neverAnswered() async throws {
    for isThere in [true, false] {
      let store = try ScriptedStore { request in
        request.method == "PUT"
          ? .dropped
          : isThere
            ? ScriptedStore.tagged("t", body: "own") : .status(404, body: ScriptedStore.error("NoSuchKey"))
      }
      if isThere {
        #expect(try await store.storage.put(Self.own, at: "a", if: .ifAbsent) == ObjectTag("t"))
      } else {
        let error = await store.failure { storage throws(StorageError) in
          _ = try await storage.put(Self.own, at: "a", if: .ifAbsent)
        }
        #expect(error.code == .unknown)
      }
    }
  }

  @Test("A success that no such service gives is none")
  func successWithoutTag() async throws {
    let store = try ScriptedStore { request in
      request.method == "PUT"
        ? .status(200, [("content-type", "text/html")], body: "<html>Welcome</html>")
        : .status(404, body: ScriptedStore.error("NoSuchKey"))
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.put(Self.own, at: "a", if: .always)
    }
    #expect(error.code == .unknown)
  }

  @Test("A server that wants no more is no loss")
  func throttled() async throws {
    let store = try ScriptedStore { _ in .status(503, body: ScriptedStore.error("SlowDown")) }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.put(Self.own, at: "a", if: .ifAbsent)
    }
    #expect(error.code == .throttled && store.methods.allSatisfy { $0 == "PUT" })
  }

  @Test("In a cancelled task, too, a put is carried out, and what became of it is found out")
  func cancelled() async throws {
    let store = try ScriptedStore { request in
      switch (request.method, request.number) {
      case ("PUT", 0): .dropped
      case ("PUT", _): .status(412)
      default: ScriptedStore.tagged("there", body: "own")
      }
    }
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await store.storage.put(Self.own, at: "a", if: .ifAbsent)
    }
    task.cancel()
    #expect(try await task.value == ObjectTag("there"))
    let moving = try ScriptedStore { request in
      switch request.method {
      case "HEAD": ScriptedStore.tagged("t")
      case "PUT":
        .status(200, body: "<CopyObjectResult><ETag>&quot;t&quot;</ETag></CopyObjectResult>")
      default: .status(204)
      }
    }
    let move = Task {
      while !Task.isCancelled { await Task.yield() }
      try await moving.storage.move("a", to: "b")
    }
    move.cancel()
    try await move.value
    #expect(moving.methods == ["HEAD", "PUT", "DELETE"])
  }
}
