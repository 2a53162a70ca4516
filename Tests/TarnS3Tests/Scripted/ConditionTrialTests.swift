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
