/// The change stream of a table of crypto transactions: what changed, and how it was delivered.
///
/// The same options give the same stream, to the byte. Of the changes 70 % are INSERT, 25 % MODIFY and 5 % REMOVE.
/// Most are delivered within seconds and not quite in order, some much later, and some twice. Only one thing
/// never happens: once a change that takes a row away has been delivered, no older change of its item comes in
/// a later batch.
public struct CryptoStream: Sendable {
  /// What the stream is like.
  public struct Options: Sendable, Hashable {
    /// Begin of all randomness.
    public var seed: UInt64 = 42
    /// Number of changes; those delivered twice count once.
    public var changes = 24_000
    /// Number of batches.
    public var batches = 10
    /// Length of a batch, in microseconds.
    public var interval: Int64 = 900_000_000
    /// The virtual clock when the stream begins, in microseconds since 1970: 2025-01-15T08:00:00Z.
    public var start: Int64 = 1_736_928_000_000_000
    /// Objects a batch is delivered in.
    public var objectsPerBatch = 3

    /// The defaults.
    public init() {}
  }

  /// A change on its way.
  public struct Delivery: Sendable, Hashable {
    /// The change.
    public var change: Change
    /// When it arrives, in microseconds since 1970.
    public var arrival: Int64
  }

  /// What arrives within one interval.
  public struct Batch: Sendable {
    /// The end of the interval, in microseconds since 1970.
    public var clock: Int64
    /// The changes in the order of their arrival.
    public var deliveries: [Delivery]
    /// The objects they come in.
    public var objects: [DeliveredObject]
  }

  /// What the stream is like.
  public let options: Options
  /// All changes in the order in which they happened.
  public let changes: [Change]
  /// The batches in order.
  public let batches: [Batch]

  /// Makes the stream.
  public init(_ options: Options = Options()) {
    self.options = options
    var market = Market(random: SplitMix64(seed: options.seed))
    changes = Self.history(options, &market)
    var courier = Courier(options: options, random: SplitMix64(seed: options.seed &+ 1))
    batches = courier.deliver(changes)
  }

  /// Makes up what happened.
  private static func history(_ options: Options, _ market: inout Market) -> [Change] {
    var changes: [Change] = []
    changes.reserveCapacity(options.changes)
    // Items that still change, of which the later ones are pending more often; and items that are done.
    var live: [Transaction] = []
    var done: [Transaction] = []
    let step = Int(options.interval) * options.batches / max(options.changes, 1)
    var time = options.start
    while changes.count < options.changes {
      var kinds =
        [Change.Kind](repeating: .insert, count: 14) + [Change.Kind](repeating: .modify, count: 5) + [.remove]
      // The first block begins with inserts, so that there is something to change.
      if !changes.isEmpty { market.random.shuffle(&kinds) }
      for kind in kinds.prefix(options.changes - changes.count) {
        time += Int64(1 + market.random.below(2 * step - 1))
        let eventID = market.random.uuid()
        var change = Change(kind: kind, eventID: eventID, time: time)
        switch kind {
        case .insert: change.new = market.trade(at: time - Int64(market.random.below(2_000_000)))
        case .modify:
          let old = live.remove(at: recent(live.count, &market.random))
          change.old = old
          change.new = market.changed(old)
        case .remove:
          let fromDone = !done.isEmpty && market.random.chance(10)
          change.old =
            fromDone
            ? done.remove(at: market.random.below(done.count))
            : live.remove(at: market.random.below(live.count))
        }
        if let new = change.new {
          if new.tradeStatus == "FAILED" { done.append(new) } else { live.append(new) }
        }
        changes.append(change)
      }
    }
    return changes
  }

  /// One of so many positions: mostly a late one, since most changes come soon.
  private static func recent(_ count: Int, _ random: inout SplitMix64) -> Int {
    random.chance(60) ? max(count - 1 - random.below(400), 0) : random.below(count)
  }
}
