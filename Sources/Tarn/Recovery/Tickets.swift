import TarnStorage
import TarnTimeline

/// Lets a writer go first that lost often, as a slow one does among fast ones.
///
/// A ticket is advice: it stands in the head, and whoever is about to begin waits for it once, for a while. Nothing depends
/// on it but how long a writer takes. Its writer shows that it lives, so that nobody waits for a dead one.
struct Tickets: Sendable {
  private let storage: any Storage
  private let heads: HeadStore
  /// Names this writer.
  private let owner: String
  /// Those that were waited for.
  private var heeded: Set<String> = []
  /// Those whose writers are dead.
  private var dead: Set<String> = []
  /// Shows that this writer lives, once it has a ticket.
  private var sign: (any LifeSign)?

  /// The folder of signs of life, with its slash.
  static let folder = TablePaths.folder + "tarn/tickets/"

  /// How long is waited for a ticket, and between looks at it.
  private static let patience = Duration.seconds(4)
  private static let pause = Duration.milliseconds(20)

  init(_ storage: any Storage, _ heads: HeadStore) {
    self.storage = storage
    self.heads = heads
    owner = heads.newMark()
  }

  /// The tickets that end with the write's decision: its own, and those of dead writers.
  var ending: Set<String> { sign == nil ? dead : dead.union([owner]) }

  /// How often a ticket is asked for: whoever is slow loses that swap too.
  private static let mostSwaps = 20

  /// What came of asking for a ticket.
  enum Taken {
    /// There is none, or it is there already.
    case nothing
    /// It was taken, and nothing else was decided since the head that was read last.
    case next(LoadedHead)
    /// It was taken behind other decisions, so that the table is to be looked at again.
    case later
  }

  /// Takes a ticket.
  ///
  /// - Parameter head: The head that was read last.
  mutating func take(on head: LoadedHead?) async -> Taken {
    guard var present = head, present.tag != nil else { return .nothing }
    if present.head.tickets.contains(where: { $0.owner == owner }) {
      try? await sign?.renew()
      return .nothing
    }
    if sign == nil {
      sign = (try? await Liveness(storage).begin(at: Self.folder + owner, mark: "ticket")) ?? nil
    }
    guard sign != nil else { return .nothing }
    for number in 0..<Self.mostSwaps {
      guard present.head.tickets.count < Head.mostNamed else { return .nothing }
      var next = present.head.next(mark: heads.newMark())
      next.tickets.append(Ticket(owner: owner))
      switch await heads.swap(next, on: present.tag, deciding: []) {
      case .won(let taken): return number == 0 ? .next(taken) : .later
      case .refused: break
      case .failed, .unknown: return .nothing
      }
      guard !Task.isCancelled, case .head(let newer)? = try? await heads.load() else { return .nothing }
      present = newer
    }
    return .nothing
  }

  /// Waits until none is there of those that are older than one's own, whose writers live, and that were not heeded before.
  ///
  /// It ends where another commit is decided: the try that was waited for may have lost by that, and those who go at the same
  /// time leave the next one more time than those who go one by one.
  ///
  /// - Returns: Whether there was one, so that the table is to be looked at again.
  mutating func heed(_ head: LoadedHead?) async -> Bool {
    let older = head?.head.tickets.prefix { $0.owner != owner } ?? []
    var others = await living(Set(older.map(\.owner)).subtracting(heeded).subtracting(dead))
    guard !others.isEmpty else { return false }
    heeded.formUnion(others)
    var waited = Duration.zero
    var pause = Self.pause
    while waited < Self.patience, !others.isEmpty {
      guard (try? await Task.sleep(for: pause)) != nil, case .head(let present)? = try? await heads.load(),
        present.head.sequence == head?.head.sequence
      else { break }
      others.formIntersection(present.head.tickets.map(\.owner))
      // What the kernel tells costs little.
      if storage.lifeSigns != nil { others = await living(others) }
      waited += pause
      pause = min(pause * 2, .milliseconds(200))
    }
    return true
  }

  /// Those whose writers live; of the others nothing is left but their entries in the head.
  private mutating func living(_ owners: Set<String>) async -> Set<String> {
    var living = owners
    for owner in owners {
      let path = Self.folder + owner
      guard (try? await Liveness(storage).isDead(at: path, mark: heads.newMark())) == true else { continue }
      living.remove(owner)
      dead.insert(owner)
      _ = await storage.delete([path])
    }
    return living
  }

  /// Lets the ticket go, whatever became of the write.
  mutating func end() async {
    await sign?.end()
    sign = nil
  }
}
