import Synchronization
import TarnStorage
import TarnTimeline

/// What was read of a table when it was opened, on which its first write stands, so that it need not wait for the same once
/// more.
///
/// It is a hint: a write on a head that another has replaced since is refused, and looks again.
final class TableOpening: Sendable {
  /// What was read, in the order of the protocol: a listing is later than the head.
  struct Look: Sendable {
    let properties: TableProperties
    let head: FoundHead
    var listing: TimelineListing?
    /// The newest commit.
    var newest: ReadCommit?
    /// When the head was read.
    let time: Int64
  }

  private let look: Mutex<Look?>

  /// How long it holds, in microseconds.
  private static let patience: Int64 = 30 * 1_000_000

  private init(_ look: Look?) { self.look = Mutex(look) }

  /// What a table value keeps that was not opened.
  static let none = TableOpening(nil)

  /// Reads the properties of a table, and its head beside them where requests overlap.
  ///
  /// - Parameters:
  ///   - storage: The table's.
  ///   - now: The time in microseconds since 1970, where the storage has no clock.
  /// - Throws: ``TimelineError``, as ``TableProperties/load(from:)`` does.
  static func read(
    _ storage: any Storage, now: @Sendable () -> Int64
  ) async throws(TimelineError) -> (TableProperties, TableOpening) {
    guard storage.costs.overlaps else { return (try await TableProperties.load(from: storage), none) }
    async let head = found(storage)
    let properties = try await TableProperties.load(from: storage)
    guard let head = await head else { return (properties, none) }
    // The storage's clock, by which its age is told, may be known from its answers only.
    let time = storage.currentTime() ?? now()
    return (properties, TableOpening(Look(properties: properties, head: head, time: time)))
  }

  /// The head; nil where it cannot be read now, as by this build: who writes says so.
  private static func found(_ storage: any Storage) async -> FoundHead? {
    try? await HeadStore(storage) { 0 }.load()
  }

  /// Whether a write would stand on it.
  func holds(at time: Int64) -> Bool { look.withLock { $0?.holds(at: time) ?? false } }

  /// Takes it, once; nil where there is none, or it is old.
  func take(at time: Int64) -> Look? {
    look.withLock { look in
      defer { look = nil }
      return look.flatMap { $0.holds(at: time) ? $0 : nil }
    }
  }

  /// The table, as a listing behind the head shows it that is kept for the first write.
  ///
  /// - Returns: Nil where there was none to be kept, or it does not tell what a reader would be told.
  func state(at time: Int64, in storage: any Storage) async throws(TableError) -> TableState? {
    guard let kept = look.withLock({ $0 }), kept.holds(at: time), kept.listing == nil,
      case .head(let loaded) = kept.head
    else { return nil }
    let listing: TimelineListing
    let newest: ReadCommit?
    do throws(TimelineError) {
      let reading = ReadCommit.reading(of: kept.head, in: storage)
      listing = try await TimelineListing.load(from: storage)
      newest = await reading?.value
    } catch { throw TableError(error) }
    guard loaded.head.named.allSatisfy({ $0.isCarriedOut(on: listing.timeline) }) else { return nil }
    do throws(TableError) {
      let state = try await TableState(kept.properties, listing.timeline, nil, knowing: newest, storage)
      look.withLock { look in
        look?.listing = listing
        look?.newest = newest
      }
      return state
    } catch {
      guard error.isOfVanishedCommit else { throw error }
      return nil
    }
  }
}

extension TableOpening.Look {
  fileprivate func holds(at time: Int64) -> Bool { (0...TableOpening.patience).contains(time - self.time) }
}

extension ReadCommit {
  /// Reads the newest commit that a head tells of, beside the listing that shows which is the newest; what cannot be read is
  /// asked for behind it.
  ///
  /// - Returns: Nil where requests do not overlap, or no head tells.
  static func reading(of head: FoundHead, in storage: any Storage) -> Task<ReadCommit?, Never>? {
    guard storage.costs.overlaps, case .head(let loaded) = head,
      let newest = loaded.head.recent.max(by: { $0.instant < $1.instant })
    else { return nil }
    let files = InstantFiles(newest.instant, newest.replaced?.isEmpty == true ? .commit : .replacecommit)
    return Task {
      guard let document = try? await CommitLog(storage).document(of: files.completed) else { return nil }
      return ReadCommit(entry: files.completed, document: document)
    }
  }
}
