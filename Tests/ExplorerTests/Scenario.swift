import Tarn
import TarnTestSupport

/// What an actor of a scenario does.
enum Deed: Sendable {
  /// It upserts rows; with a transaction where it says so.
  case upsert([Trade], transaction: Bool = false)
  /// It upserts rows whose keys may be stored in any partition.
  case move([Trade])
  /// It upserts each of these on one table at the same time, so that several may share a swap.
  case together([[Trade]])
  /// It deletes keys, wherever they are.
  case delete([String])
  /// Another engine, without a look at the head, commits a new file group with the row ``SparkActor/row``.
  case foreign
  /// Another engine, without a look at the head, rolls back the oldest attempt that is pending, if there is one.
  case foreignRollback
  /// Another engine takes back the last commit that has completed, if it is one of the other actors'.
  case foreignUndo
  /// Another engine archives what has completed, but for the last commit.
  case archive
  /// It rolls back the first attempt that is pending, if there is one, though its writer may live.
  case rollBack
  /// It upserts a row with a column that the table may not have, whose value is the row's note.
  case widen(Trade, column: String)
  /// It reads all rows so many times.
  case read(times: Int)
  /// It restores the table to its first commit.
  case restore
  /// It rolls the latest commit back, if it is not the first.
  case undo
  /// It removes all versions of files but the latest.
  case clean
}

extension Deed {
  /// Whether another engine does it.
  var isForeign: Bool {
    switch self {
    case .foreign, .foreignRollback, .foreignUndo, .archive: true
    case .upsert, .move, .together, .delete, .widen, .rollBack, .read, .restore, .undo, .clean: false
    }
  }

  /// Whether it is done by a writer of Tarn's, in whose calls things go wrong.
  var isWrite: Bool {
    switch self {
    case .upsert, .move, .together, .delete, .widen, .rollBack, .restore, .undo, .clean: true
    case .foreign, .foreignRollback, .foreignUndo, .archive, .read: false
    }
  }
}

/// Actors that meet on one table.
struct Scenario: Sendable {
  let name: String
  /// Actor 1 does the first, and so on.
  let deeds: [Deed]
  /// Actors that take every writer for dead.
  var doubting: Set<Int> = []
  /// Whether the table has no commit, and so no head, when they begin.
  var isNew = false
  /// Whether the head is gone when they begin, though there are commits.
  var isHeadless = false
  /// How often a write begins again.
  var retries = 10

  /// The actors' numbers.
  var actors: [Int] { Array(1...deeds.count) }

  /// Those who may commit: an actor, or one of the tasks of an actor that does several things at once.
  var committers: [Int] {
    actors.flatMap { actor in
      guard case .together(let batches) = deeds[actor - 1] else { return [actor] }
      return batches.indices.map { Self.task($0, of: actor) }
    }
  }

  /// The number of one task of an actor.
  static func task(_ index: Int, of actor: Int) -> Int { 100 * actor + index }

  /// The actor of a number of ``committers``.
  static func actor(of committer: Int) -> Int { committer >= 100 ? committer / 100 : committer }

  /// The rows that are there before.
  static let base = ["t0", "t1", "t2", "t3"].map { Trade($0, 1, $0 == "t3" ? "Kraken" : "OKX", 1, "base") }

  private static func upsert(_ id: String, _ note: String, transaction: Bool = false) -> Deed {
    .upsert([Trade(id, 2, "OKX", 2, note)], transaction: transaction)
  }

  private static let common: [Scenario] = [
    // Two rows of one file group.
    Scenario(name: "rows", deeds: [upsert("t0", "one"), upsert("t1", "two")]),
    // The same row.
    Scenario(name: "row", deeds: [upsert("t0", "one"), upsert("t0", "two")]),
    // A new key.
    Scenario(name: "key", deeds: [upsert("n0", "one"), upsert("n0", "two")]),
    // Different partitions, one of them new.
    Scenario(
      name: "apart", deeds: [upsert("t0", "one"), .upsert([Trade("n1", 2, "FTX", 2, "two")])]),
    // Rows that move from one partition to another.
    Scenario(
      name: "moves", deeds: [.move([Trade("t0", 2, "Kraken", 2, "one")]), upsert("t1", "two")]),
    Scenario(
      name: "swap",
      deeds: [.move([Trade("t0", 2, "Kraken", 2, "one")]), .move([Trade("t3", 2, "OKX", 2, "two")])]),
    Scenario(name: "delete", deeds: [upsert("t0", "one"), .delete(["t0"])]),
    // A writer that is rolled back though it lives.
    Scenario(name: "doubt", deeds: [upsert("t0", "one"), upsert("t1", "two")], doubting: [2]),
    Scenario(name: "doubts", deeds: [upsert("t0", "one"), upsert("n0", "two")], doubting: [1, 2]),
    // The same, while nothing else comes where it writes.
    Scenario(
      name: "suspect", deeds: [upsert("t0", "one"), .upsert([Trade("n1", 2, "FTX", 2, "two")])],
      doubting: [2]),
    Scenario(name: "foreign", deeds: [upsert("t0", "one"), .foreign]),
    Scenario(name: "reader", deeds: [upsert("t0", "one"), .read(times: 3), upsert("n0", "two")]),
    Scenario(
      name: "once", deeds: [upsert("t0", "one", transaction: true), upsert("t0", "one", transaction: true)]),
    Scenario(name: "first", deeds: [upsert("t0", "one"), upsert("t0", "two")], isNew: true),
    Scenario(name: "three", deeds: [upsert("t0", "one"), upsert("t1", "two"), upsert("n0", "three")]),
    // Four writers, whose groups and keys overlap.
    Scenario(
      name: "four",
      deeds: [
        upsert("t0", "one"), .move([Trade("t3", 2, "OKX", 2, "two")]), .delete(["t1"]), upsert("n0", "four"),
      ]),
    // Tasks of one process: a row each, one of them new, and one that another process changes too.
    Scenario(
      name: "tasks",
      deeds: [
        .together([
          [Trade("t0", 2, "OKX", 2, "a")], [Trade("n0", 2, "OKX", 2, "b")],
          [Trade("t3", 2, "Kraken", 2, "c")],
        ]), upsert("n0", "two"),
      ]),
    Scenario(name: "headless", deeds: [upsert("t0", "one"), upsert("n0", "two")], isHeadless: true),
    Scenario(name: "undone", deeds: [upsert("t0", "one"), .foreignRollback]),
    // One of them looks again where the other committed, while it is undone.
    Scenario(
      name: "undones",
      deeds: [upsert("t0", "one"), .move([Trade("n1", 2, "FTX", 2, "two")]), .foreignRollback]),
    Scenario(
      name: "crowd", deeds: [upsert("t0", "one"), .delete(["t0", "t1"]), .foreign, upsert("t1", "four")],
      doubting: [4]),
  ]

  /// Scenarios with another engine that archives or takes back, with columns that come, and with wishes to go first.
  private static let besides: [Scenario] = [
    Scenario(name: "archive", deeds: [upsert("t0", "one"), upsert("t1", "two"), .archive]),
    // A writer that sleeps through its rollback and the archiving of that.
    Scenario(
      name: "slept", deeds: [upsert("t0", "one"), .upsert([Trade("n1", 2, "FTX", 2, "two")]), .archive],
      doubting: [2]),
    Scenario(
      name: "archives",
      deeds: [upsert("n0", "one"), .delete(["t0"]), .foreign, upsert("n0", "four"), .archive]),
    Scenario(
      name: "archived",
      deeds: [
        upsert("t0", "one", transaction: true), upsert("t0", "one", transaction: true), upsert("t1", "three"),
        .archive,
      ]),
    // A rollback by hand.
    Scenario(name: "hand", deeds: [upsert("t0", "one"), upsert("t1", "two"), .rollBack]),
    // New columns.
    Scenario(
      name: "wider", deeds: [.widen(Trade("t0", 2, "OKX", 2, "one"), column: "venue"), upsert("t1", "two")]),
    Scenario(
      name: "widers",
      deeds: [
        .widen(Trade("t0", 2, "OKX", 2, "one"), column: "venue"),
        .widen(Trade("t3", 2, "Kraken", 2, "two"), column: "desk"),
        .widen(Trade("n0", 2, "FTX", 2, "three"), column: "venue"),
      ]),
    // Each takes a ticket once it has lost.
    Scenario(
      name: "tickets", deeds: [upsert("t0", "one"), upsert("t0", "two"), upsert("t0", "three")], retries: 3),
    Scenario(
      name: "taken",
      deeds: [upsert("t0", "one"), .upsert([Trade("n1", 2, "FTX", 2, "two")]), .foreignUndo]),
  ]

  /// Scenarios with services beside writers.
  private static let services: [Scenario] = [
    Scenario(name: "restore", deeds: [upsert("t0", "one"), .restore]),
    Scenario(
      name: "restores",
      deeds: [upsert("t0", "one"), .restore, .move([Trade("t3", 2, "OKX", 2, "three")]), .restore]),
    // Who writes a transaction again writes it once, or once more where it was taken back.
    Scenario(
      name: "back",
      deeds: [upsert("t0", "one", transaction: true), .undo, upsert("n0", "three"), .delete(["t1"])]),
    Scenario(name: "clean", deeds: [upsert("t0", "one"), .clean, upsert("t1", "three"), .clean]),
    Scenario(
      name: "upkeep", deeds: [upsert("t0", "one"), .clean, .restore, upsert("t1", "four"), .rollBack]),
  ]

  /// All scenarios.
  static let all = common + besides + services

  static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }

  /// What a commit does to rows.
  func apply(_ committer: Int, to rows: inout ModelTable) {
    switch deeds[Self.actor(of: committer) - 1] {
    case .upsert(let trades, _), .move(let trades): for trade in trades { rows.upsert(trade) }
    case .delete(let ids): for id in ids { rows.delete(id) }
    case .foreign: rows.upsert(SparkActor.row)
    case .together(let batches):
      for trade in batches[committer % 100] { rows.upsert(trade) }
    case .widen(let trade, _): rows.upsert(trade)
    case .foreignRollback, .foreignUndo, .archive, .rollBack, .read, .restore, .undo, .clean: break
    }
  }
}

/// Rows by their keys, and the deletions that are remembered.
struct ModelTable: Sendable, Hashable {
  private var byKey: [String: Trade] = [:]
  private var deleted: [String: Int64] = [:]

  init(_ trades: [Trade]) { for trade in trades { byKey[trade.id] = trade } }

  var rows: [Trade] { byKey.values.sorted { $0.id < $1.id } }

  mutating func upsert(_ trade: Trade) {
    let time = trade.time ?? 0
    if let stored = byKey[trade.id] {
      if time < stored.time ?? 0 { return }
    } else if let deletion = deleted[trade.id], time <= deletion {
      return
    }
    byKey[trade.id] = trade
  }

  mutating func delete(_ id: String) {
    guard let stored = byKey.removeValue(forKey: id) else { return }
    deleted[id] = stored.time ?? 0
  }
}
