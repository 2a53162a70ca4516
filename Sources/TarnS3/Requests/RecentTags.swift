internal import Synchronization
internal import TarnStorage

/// The tags of objects that were put lately, so that moving one need not ask for its tag.
///
/// They are hints: a tag that has changed since is refused by the server, and asked for then.
final class RecentTags: Sendable {
  private struct State {
    var tags: [String: ObjectTag] = [:]
    var order: [String] = []
  }

  private static let most = 256
  private let state = Mutex(State())

  subscript(_ key: String) -> ObjectTag? {
    get { state.withLock { $0.tags[key] } }
  }

  func note(_ tag: ObjectTag, of key: String) {
    state.withLock { state in
      if state.tags.updateValue(tag, forKey: key) == nil { state.order.append(key) }
      guard state.order.count > Self.most else { return }
      state.tags[state.order.removeFirst()] = nil
    }
  }

  func forget(_ key: String) {
    state.withLock { state in
      if state.tags.removeValue(forKey: key) != nil { state.order.removeAll { $0 == key } }
    }
  }
}
