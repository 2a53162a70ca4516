import TarnTimeline

/// Lets a writer go first that lost often, as a slow one does among fast ones.
///
/// A ticket is advice: it stands in the head, and whoever is about to begin waits for it once, for a while. Nothing depends
/// on it but how long a writer takes.
struct Tickets: Sendable {
  let heads: HeadStore

  /// How long is waited for a ticket, and between looks at it.
  private static let patience = Duration.seconds(4)
  private static let pause = Duration.milliseconds(20)

  /// Takes a ticket; where another decision comes first, there is none.
  ///
  /// - Parameter head: The head that was read last.
  /// - Returns: The head with it; nil for none, or where it is there already.
  func take(_ owner: String, on head: LoadedHead?) async -> LoadedHead? {
    guard let head, head.tag != nil, head.head.tickets.count < Head.mostNamed,
      !head.head.tickets.contains(where: { $0.owner == owner })
    else { return nil }
    var next = head.head.next(mark: heads.newMark())
    next.tickets.append(Ticket(owner: owner))
    if case .won(let taken) = await heads.swap(next, on: head.tag, deciding: []) { return taken }
    return nil
  }

  /// Waits until none is there of those that are older than one's own, and that were not heeded before.
  ///
  /// - Parameter heeded: Takes the tickets that were waited for.
  /// - Returns: Whether there was one, so that the table is to be looked at again.
  func heed(_ head: LoadedHead?, besides heeded: inout Set<String>, owner: String) async -> Bool {
    let older = head?.head.tickets.prefix { $0.owner != owner } ?? []
    let others = Set(older.map(\.owner)).subtracting(heeded)
    guard !others.isEmpty else { return false }
    heeded.formUnion(others)
    var waited = Duration.zero
    var pause = Self.pause
    while waited < Self.patience {
      guard (try? await Task.sleep(for: pause)) != nil, case .head(let present)? = try? await heads.load(),
        !others.isDisjoint(with: present.head.tickets.map(\.owner))
      else { break }
      waited += pause
      pause = min(pause * 2, .milliseconds(200))
    }
    return true
  }
}
