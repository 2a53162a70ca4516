internal import Synchronization
internal import TarnStorage

/// What listings told lately of large objects, so that copying ranges of one need not ask for it.
///
/// What is told of a version holds as long as it has its tag; whether it still is there, the copy finds out.
final class ListedObjects: Sendable {
  private struct State {
    var objects: [String: ObjectInfo] = [:]
    var order: [String] = []
    /// How many of the order have gone.
    var gone = 0
  }

  private static let most = 1_024
  private let state = Mutex(State())

  /// What is known of a key's object.
  subscript(_ key: String) -> ObjectInfo? { state.withLock { $0.objects[key] } }

  /// Notes an object of which the server copies ranges.
  func note(_ info: ObjectInfo, of key: String) {
    guard info.size > PartSizes.least else { return }
    state.withLock { state in
      if state.objects.updateValue(info, forKey: key) == nil { state.order.append(key) }
      guard state.objects.count > Self.most else { return }
      state.objects[state.order[state.gone]] = nil
      state.gone += 1
      guard state.gone > Self.most else { return }
      state.order.removeFirst(state.gone)
      state.gone = 0
    }
  }
}
