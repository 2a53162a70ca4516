import TarnStorage
import TarnTimeline

/// Lets a writer go first that lost often, as a slow one does among fast ones.
///
/// A ticket is advice: it lies beside the timeline, and whoever is about to begin waits once for those that are older than
/// its own. Nothing depends on it but how long a writer takes. It is a sign of life, so that nobody waits for a dead one.
struct Tickets: Sendable {
  private let storage: any Storage
  private let heads: HeadStore
  private let now: @Sendable () -> Int64
  /// Its own, and the sign that its writer lives.
  private var own: (ticket: Ticket, sign: any LifeSign)?
  /// Those that were waited for.
  private var heeded: Set<Ticket> = []

  /// How long is waited at most for tickets none of which gets on, and between looks at them.
  private static let patience = Duration.seconds(4)
  private static let pause = Duration.milliseconds(20)
  private let patience: Duration

  init(_ recovery: Recovery) {
    storage = recovery.storage
    heads = recovery.heads
    now = recovery.settings.now
    patience = min(Self.patience, recovery.settings.patience)
  }

  private var liveness: Liveness { Liveness(storage) }

  /// Takes a ticket, or shows that the writer of the one it has still lives.
  mutating func take() async {
    guard own == nil else {
      try? await own?.sign.renew()
      return
    }
    let ticket = Ticket(Instant(microseconds: now()), mark: heads.newMark())
    guard let sign = try? await liveness.begin(at: ticket.path, mark: "ticket") else { return }
    own = (ticket, sign)
  }

  /// Waits until none is there of those that are older than one's own, whose writers live, and that were not heeded before.
  ///
  /// They go one by one, the oldest first, so that each is behind all whom it would lose against. The wait ends where none
  /// of them gets on for a while.
  ///
  /// - Parameter listed: What was listed of them.
  /// - Returns: Whether there was one, so that the table is to be looked at again.
  mutating func heed(_ listed: [Ticket]) async -> Bool {
    let older = listed.filter { ticket in own.map { ticket < $0.ticket } ?? true }
    var others = await living(Set(older).subtracting(heeded))
    guard let first = others.map(\.instant).min() else { return false }
    heeded.formUnion(others)
    var waited = Duration.zero
    var pause = min(Self.pause, patience)
    while waited < patience, !others.isEmpty {
      guard (try? await Task.sleep(for: pause)) != nil,
        let listing = try? await TimelineListing.load(from: storage, since: first)
      else { break }
      waited += pause
      pause = min(pause * 2, .milliseconds(200))
      var left = others.intersection(listing.tickets)
      // What the kernel tells costs little.
      if storage.lifeSigns != nil { left = await living(left) }
      guard left.count < others.count else { continue }
      others = left
      waited = .zero
      pause = min(Self.pause, patience)
    }
    return true
  }

  /// Those whose writers live; the others are removed.
  private func living(_ tickets: Set<Ticket>) async -> Set<Ticket> {
    var living = tickets
    for ticket in tickets where (try? await liveness.isDead(at: ticket.path, mark: heads.newMark())) == true {
      living.remove(ticket)
      _ = await storage.delete([ticket.path])
    }
    return living
  }

  /// Lets the ticket go, whatever became of the write.
  mutating func end() async {
    await own?.sign.end()
    own = nil
  }
}
