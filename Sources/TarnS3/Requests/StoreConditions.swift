internal import Synchronization
internal import TarnStorage

/// How a store wants tags in the conditions of a put.
enum TagQuoting: String, Sendable, Hashable {
  /// As an entity tag is written, which is right.
  case quoted
  /// Without quotes: some servers compare the text as it comes.
  case bare

  func text(of tag: ObjectTag) -> String {
    switch self {
    case .quoted: "\"\(tag.text)\""
    case .bare: tag.text
    }
  }
}

/// What is known of the conditions that a store heeds; found out once, however many ask at once.
final class StoreConditions: Sendable {
  /// The store, for people.
  let store: String
  private let puts = FoundOnce<TagQuoting>()
  private let absentCompletions = FoundOnce<Bool>()
  private let matchedCompletions = FoundOnce<Bool>()

  init(store: String) { self.store = store }

  /// What was found of other stores, which lie in the heads of tables that are reached by several ways.
  private let others = Mutex<[StoreFindings]>([])

  /// What was found out that another process need not try again, as a text; nil for nothing.
  func findings() -> String? {
    // What a store cannot do is tried again, since it may learn it.
    guard let quoting = puts.present else { return nil }
    let own = StoreFindings(
      store: store, quoting: quoting, heedsAbsent: absentCompletions.present,
      heedsMatched: matchedCompletions.present)
    return StoreFindings.text(of: [own] + others.withLock { $0 })
  }

  /// Takes over what another process found out of this very store.
  func adopt(_ text: String) {
    for found in StoreFindings.parse(text) {
      guard found.store.utf8.elementsEqual(store.utf8) else {
        others.withLock { others in
          others.removeAll { $0.store.utf8.elementsEqual(found.store.utf8) }
          others = [found] + others.prefix(StoreFindings.most - 2)
        }
        continue
      }
      puts.adopt(found.quoting)
      if let heeds = found.heedsAbsent { absentCompletions.adopt(heeds) }
      if let heeds = found.heedsMatched { matchedCompletions.adopt(heeds) }
    }
  }

  /// How tags are to be written.
  ///
  /// - Parameter find: Tries the store.
  /// - Throws: `unsupported` where the store ignores conditions; else what the trial threw, which is made again then.
  func quoting(
    _ find: @escaping @Sendable () async -> Result<TagQuoting, StorageError>
  ) async throws(StorageError) -> TagQuoting {
    try await puts.value(find)
  }

  /// Whether the completion of an upload heeds a condition; a server may heed one kind and not the other.
  func heedsInCompletion(
    _ condition: PutCondition, _ find: @escaping @Sendable () async -> Result<Bool, StorageError>
  ) async throws(StorageError) -> Bool {
    switch condition {
    case .always: true
    case .ifAbsent: try await absentCompletions.value(find)
    case .ifMatches: try await matchedCompletions.value(find)
    }
  }

  /// What is known of the quoting by now, for calls that do not wait to find out.
  var presentQuoting: TagQuoting { puts.present ?? .quoted }
}

/// A fact that is found out once, and again where finding out failed for now.
private final class FoundOnce<Value: Sendable>: Sendable {
  private enum State {
    case open
    case sought(Task<Result<Value, StorageError>, Never>)
    case known(Result<Value, StorageError>)

    var known: Result<Value, StorageError>? {
      if case .known(let result) = self { result } else { nil }
    }
  }

  private let state = Mutex(State.open)

  var present: Value? { try? state.withLock { $0.known }?.get() }

  /// Takes what another found out, where nothing is known yet.
  func adopt(_ value: Value) {
    state.withLock { state in
      if case .open = state { state = .known(.success(value)) }
    }
  }

  func value(
    _ find: @escaping @Sendable () async -> Result<Value, StorageError>
  ) async throws(StorageError) -> Value {
    if let known = state.withLock({ $0.known }) { return try known.get() }
    let task = state.withLock { state in
      switch state {
      case .known(let result): return Task { result }
      case .sought(let task): return task
      case .open:
        // A task of its own, so that one caller's cancellation does not end it for the others.
        let task = Task { await find() }
        state = .sought(task)
        return task
      }
    }
    let result = await task.value
    state.withLock { state in
      guard case .sought(task) = state else { return }
      if case .failure(let error) = result, error.code != .unsupported {
        state = .open
      } else {
        state = .known(result)
      }
    }
    return try result.get()
  }
}
