import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// Random operations on a table and on its model, compared after each.
struct ModelRun {
  /// Where the two differ; the seed repeats it.
  struct Difference: Error, CustomStringConvertible {
    var seed: UInt64
    var step: Int
    var message: String

    var description: String { "seed \(seed), step \(step): \(message)" }
  }

  let seed: UInt64
  let table: Table
  let shape: ModelShape
  let storage: any Storage
  /// Base files that were spliced, and that were written anew.
  private(set) var fileCounts = (spliced: 0, written: 0)
  /// Stored rows that were deleted.
  private(set) var deletedRows = 0
  var input: ModelInput
  var model: Model
  private var step = 0
  private var history: [(instant: Instant, rows: [StoredRow])] = []

  /// Whether the storage may fail for the moment: then each step is a transaction, written until it stands.
  private let isFaulty: Bool
  /// How often a step was written again.
  private(set) var repetitions = 0

  /// Makes the table of a seed, in a folder of the disk or in memory.
  init(seed: UInt64, folder: String? = nil) async throws {
    let location =
      folder.map { TableLocation.local($0, synchronizes: false) }
      ?? .storage(InMemoryStorage(), name: "model")
    try await self.init(seed: seed, at: location, isFaulty: false)
  }

  /// Makes the table of a seed where nothing is.
  init(seed: UInt64, at location: TableLocation, isFaulty: Bool) async throws {
    self.isFaulty = isFaulty
    self.seed = seed
    var random = SeededGenerator(seed: seed)
    shape = ModelShape(&random)
    model = Model(shape)
    storage = location.storage
    table = try await Table.create(
      at: location, schema: ModelBatch.schema(), recordKey: ["key"],
      partitionedBy: ["part"], orderedBy: shape.isOrdered ? "order" : nil, options: shape.options,
      settings: shape.settings)
    input = ModelInput(shape, random)
  }

  /// Runs all steps, and then travels in time.
  ///
  /// - Throws: ``Difference``.
  mutating func run(steps: Int) async throws {
    try await go(on: steps)
    do { try await travel() } catch let error as Difference { throw error } catch {
      throw difference("\(error)")
    }
  }

  /// Runs some more steps.
  ///
  /// - Throws: ``Difference``.
  mutating func go(on steps: Int) async throws {
    for _ in 0..<steps {
      step += 1
      do { try await takeStep() } catch let error as Difference { throw error } catch {
        throw difference("\(error)")
      }
    }
  }

  private mutating func takeStep() async throws {
    let before = try await table.timeline().lastInstant
    var after = model
    let change = input.write(on: model)
    let report = try await write(change.run)
    // The model knows the commit's instant only from the table.
    try reader.compare(report, change.apply(&after, report.instant ?? Instant(microseconds: 0)))
    if let instant = report.instant {
      if let before, instant <= before { throw difference("instant \(instant) is not after \(before)") }
    } else if after.rows != model.rows {
      throw difference("nothing was committed, and the rows should have changed")
    }
    model = after
    deletedRows += report.deleted
    let rows = try await comparedRows()
    guard let instant = report.instant else { return }
    history.append((instant, rows))
    fileCounts.spliced += report.splicedFiles
    fileCounts.written += report.files - report.splicedFiles
    if let problem = try await BaseFileCheck(storage: storage, keyColumn: shape.keyColumn).problem(
      with: instant)
    {
      throw difference(problem)
    }
  }

  /// Writes, and again where the storage failed for the moment.
  private mutating func write(_ body: (Table) async throws -> CommitReport) async throws -> CommitReport {
    guard isFaulty else { return try await body(table) }
    let transaction = WriteTransaction(application: "model", version: Int64(step))
    let target = table.writing(WriteOptions(transaction: transaction))
    for _ in 0..<Self.mostRepetitions {
      do { return try await body(target) } catch let error as TableError {
        guard [.storage, .outcomeUnknown].contains(error.code) else { throw error }
        repetitions += 1
      }
    }
    return try await body(target)
  }

  /// How often a step is written again.
  private static let mostRepetitions = 20

  /// Compares the newest rows, and gives them.
  @discardableResult
  func comparedRows() async throws -> [StoredRow] {
    let rows = model.rows.values.sorted()
    try await reader.compare(try await table.snapshot(), rows, "the snapshot")
    return rows
  }

  private var reader: ModelReader { ModelReader(shape: shape) }

  private func difference(_ message: String) -> Difference {
    Difference(seed: seed, step: step, message: message)
  }
}

/// What goes out.
extension ModelRun {
  /// Every moment of the past, and the changes from it to now and to one in between.
  private mutating func travel() async throws {
    step += 1
    try await reader.compare(
      try await table.snapshot(asOf: Instant(microseconds: 0)), [], "the time before all commits")
    for (index, moment) in history.enumerated() {
      let past = try await table.snapshot(asOf: moment.instant)
      try await reader.compare(past, moment.rows, "as of \(moment.instant)")
      let count = try await past.count()
      if count != moment.rows.count { throw difference("\(count) rows counted as of \(moment.instant)") }
      guard shape.options.populatesMetaColumns else { continue }
      for later in [history[index + input.random.below(history.count - index)], history[history.count - 1]] {
        let changes = try await table.changes(since: moment.instant, until: later.instant)
        try await reader.compare(
          changes, later.rows.filter { $0.instant > moment.instant },
          "changes since \(moment.instant) until \(later.instant)")
      }
    }
  }
}
