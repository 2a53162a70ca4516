/// The completed commits that decisions know of: some by name, and all that are less than a bound.
///
/// An engine that knows no head may commit at an instant that is less than one which has completed, so that the greatest
/// of them would not tell.
package struct KnownCommits: Sendable, Hashable {
  /// How many are known by name.
  package static let most = 256

  /// Those known by name, ascending.
  package private(set) var instants: [Instant] = []
  /// The instant below which all are known; nil where none are but by name.
  package private(set) var bound: Instant?

  /// Knows what lies before an instant.
  package init(before bound: Instant? = nil) { self.bound = bound }

  /// Knows some by name, in any order.
  package init(_ instants: [Instant], before bound: Instant?) {
    self.init(before: bound)
    for instant in instants { insert(instant) }
  }

  /// Takes a commit in.
  package mutating func insert(_ instant: Instant) {
    guard bound.map({ instant >= $0 }) ?? true else { return }
    let index = place(of: instant)
    if index < instants.count, instants[index] == instant { return }
    instants.insert(instant, at: index)
    guard instants.count > Self.most else { return }
    instants.removeFirst()
    bound = instants.first
  }

  /// Whether a commit is known.
  package func contains(_ instant: Instant) -> Bool {
    if let bound, instant < bound { return true }
    let index = place(of: instant)
    return index < instants.count && instants[index] == instant
  }

  /// How many of those known by name are less.
  private func place(of instant: Instant) -> Int {
    var range = 0..<instants.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range = instants[middle] < instant ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }
}
