import Synchronization
import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// The trial that shows whether a store heeds conditions.
@Suite("The trial of conditions") struct ConditionTrialTests {
  @Test(
    "A store that ignores a condition is refused by name, and nothing is written",
    arguments: ["none", "match", "bare", "501", "never"])
  func ignores(what: String) async throws {
    let trial = TrialObjects()
    let store = try ScriptedStore(heedsTrial: false) { request in
      if what == "none", request["if-none-match"] != nil { return ScriptedStore.tagged("first") }
      if what == "match", request["if-match"] != nil { return ScriptedStore.tagged("x") }
      // Refuses every tag in quotes, and takes any other.
      if what == "bare", let tag = request["if-match"] {
        return tag.hasPrefix("\"") ? .status(412) : ScriptedStore.tagged("x")
      }
      if what == "501", request["if-none-match"] != nil {
        return .status(501, body: ScriptedStore.error("NotImplemented"))
      }
      if what == "never", request["if-match"] != nil { return .status(412) }
      return trial.answer(request)
    }
    for _ in 0..<2 {
      let error = await store.failure { storage throws(StorageError) in
        _ = try await storage.put([1], at: "a", if: .always)
      }
      #expect(error.code == .unsupported && "\(error)".contains("\(store.server.url)/bucket"))
    }
    let error = await store.failure { storage throws(StorageError) in _ = try await storage.writer(at: "a") }
    #expect(error.code == .unsupported)
    #expect(store.requests.allSatisfy { $0.path.hasPrefix("/bucket/root/.tarn/tarn-conditions-") })
    // What was put for the trial is taken away.
    #expect(store.methods.filter { $0 == "DELETE" }.count == 1)
  }

  @Test("A store is tried once, however many write at once, and a reader does not try it")
  func once() async throws {
    let trials = Mutex<Set<String>>([])
    let trial = TrialObjects()
    let store = try ScriptedStore(heedsTrial: false) { request in
      guard request.path.contains("tarn-conditions-") else {
        return request.method == "GET" ? ScriptedStore.tagged("t", body: "x") : ScriptedStore.tagged("t")
      }
      _ = trials.withLock { $0.insert(request.path) }
      return trial.answer(request)
    }
    _ = try await store.storage.get("a", limit: 10)
    #expect(trials.withLock { $0.isEmpty })
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { _ = try? await store.storage.put([UInt8(number)], at: "a\(number)", if: .ifAbsent) }
      }
    }
    let another = try S3Storage(S3Location("s3://bucket/elsewhere"), client: store.client)
    try await another.put([1], at: "a", if: .always)
    #expect(trials.withLock { $0.count } == 1)
    #expect(store.requests.filter { $0.method == "PUT" && !$0.path.contains("tarn-") }.count == 9)
  }

  @Test("What was found out is believed for the same store alone, and nonsense is not believed")
  func findings() async throws {
    func trials(_ findings: [String]) async throws -> Int {
      let trial = TrialObjects()
      let count = Atomic(0)
      let store = try ScriptedStore(heedsTrial: false) { request in
        guard TrialObjects.isMeant(by: request) else { return ScriptedStore.tagged("t") }
        count.add(1, ordering: .relaxed)
        return trial.answer(request)
      }
      #expect(store.storage.findings() == nil)
      let own = "\(store.server.url)/bucket"
      for text in findings { store.storage.adopt(text.replacing("SELF", with: own)) }
      try await store.storage.put([1], at: "a", if: .ifMatches(ObjectTag("x")))
      let found = try #require(store.storage.findings())
      #expect(found.contains(own))
      // What is known of other stores is handed on.
      #expect(found.contains("elsewhere") == findings.contains { $0.contains(#""http://elsewhere"#) })
      if count.load(ordering: .relaxed) == 0 { #expect(store.requests.last?["if-match"] == "x") }
      return count.load(ordering: .relaxed)
    }
    #expect(try await trials([#"[{"store":"SELF","tags":"bare"}]"#]) == 0)
    #expect(
      try await trials([
        #"[{"store":"http://elsewhere/bucket","tags":"quoted"},{"store":"SELF","tags":"bare"}]"#
      ]) == 0)
    #expect(try await trials([#"[{"store":"http://elsewhere/bucket","tags":"bare"}]"#]) > 0)
    let nonsense = ["", "[", "{}", "[1]", #"[{"store":"SELF"}]"#, #"[{"store":"SELF","tags":"none"}]"#]
    #expect(try await trials(nonsense) > 0)
  }

  @Test("Nothing is deleted where a store does not heed conditions")
  func deletions() async throws {
    let store = try ScriptedStore(heedsTrial: false) { request in
      request.method == "DELETE" || request.method == "POST" ? .status(204) : ScriptedStore.tagged("t")
    }
    let failures = await store.storage.delete(["a", "b"])
    #expect(failures.map(\.code) == [.unsupported, .unsupported] && failures.map(\.path) == ["a", "b"])
    #expect(!store.requests.contains { $0.method == "POST" })
    #expect(store.requests.allSatisfy { $0.method != "DELETE" || $0.path.contains("tarn-conditions-") })
  }

  @Test("A store that wants tags without quotes gets them so")
  func bareTags() async throws {
    let trial = TrialObjects(takesQuotes: false)
    let store = try ScriptedStore(heedsTrial: false) { request in
      TrialObjects.isMeant(by: request) ? trial.answer(request) : ScriptedStore.tagged("t")
    }
    try await store.storage.put([1], at: "a", if: .ifMatches(ObjectTag("x")))
    #expect(store.requests.last?["if-match"] == "x")
  }

  @Test(
    "Answers that are lost do not disturb the trial, whether the store acted or not",
    arguments: [true, false])
  func lostAnswers(acts: Bool) async throws {
    let trial = TrialObjects()
    let seen = Mutex<Set<String>>([])
    let store = try ScriptedStore(heedsTrial: false) { request in
      guard TrialObjects.isMeant(by: request) else { return ScriptedStore.tagged("t") }
      // Each request once.
      let name = request.method + request.text
      guard seen.withLock({ $0.insert(name).inserted }) else { return trial.answer(request) }
      if acts { _ = trial.answer(request) }
      return .dropped
    }
    try await store.storage.put([1], at: "a", if: .ifMatches(ObjectTag("x")))
    #expect(store.requests.last?["if-match"] == "\"x\"")
  }

  @Test("An error of the moment is not remembered")
  func momentaryErrors() async throws {
    let trial = TrialObjects()
    let isDenied = Mutex(true)
    let store = try ScriptedStore(heedsTrial: false) { request in
      if isDenied.withLock({ $0 }) { return .status(403, body: ScriptedStore.error("AccessDenied")) }
      return TrialObjects.isMeant(by: request) ? trial.answer(request) : ScriptedStore.tagged("t")
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.put([1], at: "a", if: .always)
    }
    #expect(error.code == .permissionDenied && error.message.contains("s3:PutObject"))
    isDenied.withLock { $0 = false }
    try await store.storage.put([1], at: "a", if: .always)
  }
}
