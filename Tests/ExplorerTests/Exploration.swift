import Synchronization
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// Runs schedules of scenarios, each on a fresh copy of the same table.
struct Exploration: Sendable {
  /// The objects of the table before, by their paths.
  private let table: [(path: String, bytes: [UInt8])]
  private let newTable: [(path: String, bytes: [UInt8])]
  /// Wraps the storage below the actors, to make it worse.
  var wrap: @Sendable (InMemoryStorage) -> any Storage & LifeSigns = { $0 }

  private static let time = SteppedClock().now()

  /// What a run of a schedule showed.
  struct Outcome: Sendable {
    /// What is wrong; nil where all is well.
    var objection: String?
    /// The calls, each with its actor.
    var log: [String]
    /// How many calls each actor made.
    var counts: [Int: Int]
  }

  /// Makes the tables.
  init() async throws {
    let donor = InMemoryStorage()
    let other = Process(storage: donor, number: 90)
    try await other.create()
    _ = await other.run(.upsert([SparkActor.row]))
    let files = try await donor.listAll(prefix: "exchange=OKX/").objects.map(\.path)
    let bytes = try await donor.readAll(files.first { $0.hasSuffix(".parquet") } ?? "")
    let storage = InMemoryStorage()
    let process = Process(storage: storage, number: 91)
    try await process.create()
    try await storage.put(bytes, at: SparkActor.donor, if: .always)
    newTable = try await Self.objects(of: storage)
    _ = await process.run(.upsert(Scenario.base))
    table = try await Self.objects(of: storage)
  }

  private static func objects(of storage: any Storage) async throws -> [(path: String, bytes: [UInt8])] {
    var objects: [(path: String, bytes: [UInt8])] = []
    for object in try await storage.listAll(prefix: "").objects {
      objects.append((object.path, try await storage.readAll(object.path)))
    }
    return objects
  }

  /// Runs a schedule on the present thread.
  func run(_ schedule: Schedule, on executor: OwnExecutor) throws -> Outcome {
    guard let scenario = Scenario.named(schedule.scenario) else {
      return Outcome(objection: "there is no scenario \(schedule.scenario)", log: [], counts: [:])
    }
    // Nothing grows old while a schedule lasts.
    let storage = InMemoryStorage(clock: { Self.time })
    let objects = scenario.isNew ? newTable : table
    try executor.finish {
      for object in objects where !(scenario.isHeadless && object.path == HeadStore.path) {
        try await storage.put(object.bytes, at: object.path, if: .always)
      }
    }
    let signs = SignBoard()
    let scheduler = Scheduler(schedule, on: executor) { signs.release(of: $0) }
    let endings = Endings()
    let wrapped = wrap(storage)
    for (actor, deed) in zip(scenario.actors, scenario.deeds) {
      let own = ScheduledStorage(
        deed.isForeign ? storage : (wrapped as? WeakStorage)?.seen(by: actor) ?? wrapped, scheduler, actor,
        signs,
        doubtsSigns: scenario.doubting.contains(actor))
      scheduler.begin(actor) {
        let process = Process(storage: own, number: actor, retries: scenario.retries)
        endings.set(actor, await process.run(deed))
      }
    }
    var objection: String?
    do {
      try scheduler.run()
      let verdict = Verdict(
        schedule: schedule, scenario: scenario, storage: storage, endings: endings.all, dead: scheduler.dead,
        log: scheduler.log)
      objection = try executor.finish { try await verdict.objection() }
    } catch { objection = "\(error)" }
    let (log, counts) = (scheduler.log, scheduler.counts)
    scheduler.end()
    return Outcome(objection: objection, log: log, counts: counts)
  }
}

/// What came of each actor's deed.
private final class Endings: Sendable {
  private let found = Mutex<[Int: Ending]>([:])

  func set(_ actor: Int, _ ending: Ending) {
    found.withLock { found in
      guard case .several(let endings) = ending else {
        found[actor] = ending
        return
      }
      for (index, ending) in endings.enumerated() { found[Scenario.task(index, of: actor)] = ending }
    }
  }

  var all: [Int: Ending] { found.withLock { $0 } }
}
