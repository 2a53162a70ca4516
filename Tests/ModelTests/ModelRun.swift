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
  /// Added to the ordering values of new rows, none of which is null then.
  var leastOrder: Int64?
  var random: SeededGenerator
  var model: Model
  private var step = 0
  private var extraCount = 0
  private var freshKeys = 0
  private var history: [(instant: Instant, rows: [StoredRow])] = []
  static let parts: [String?] = ["a", "b", "ü/1=2", "", nil]

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
    self.random = random
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
    let report: CommitReport
    let expected: CommitReport
    let before = try await table.timeline().lastInstant
    let shape = shape
    var after = model
    // The model knows the commit's instant only from the table.
    switch random.below(13) {
    case 0:
      let batch = deletions()
      report = try await write { try await $0.delete(try batch.columns()) }
      expected = after.delete(batch)
    case 1:
      let batch = freshRows()
      report = try await write { try await $0.insert(try batch.columns()) }
      expected = after.insert(batch, at: report.instant ?? Instant(microseconds: 0))
    case 2 where shape.scope == .partition, 3 where shape.scope == .partition:
      let batch = changes(withDeletions: false)
      report = try await write { try await $0.upsert(try batch.columns()) }
      expected = after.apply(batch, at: report.instant ?? Instant(microseconds: 0))
    case 4 where shape.scope == .partition:
      let batch = changes(withDeletions: false)
      report = try await write { try await $0.upsert(try batch.columns(), columns: .given) }
      expected = after.apply(batch, columns: .given, at: report.instant ?? Instant(microseconds: 0))
    case 5:
      let value = Int64(random.below(3))
      // Mostly changed, since deletions would leave little.
      let other = random.oneIn(3) ? nil : Optional(value + 1)
      if let other {
        report = try await write {
          try await $0.update(
            where: .column("value") == .number("\(value)"), set: ["value": .number("\(other)")])
        }
      } else {
        report = try await write { try await $0.delete(where: .column("value") == .number("\(value)")) }
      }
      expected = after.change(value, to: other, at: report.instant ?? Instant(microseconds: 0))
    case 6 where shape.scope == .partition:
      let batch = changes(withDeletions: false)
      let merge = ModelMerge(turn: random.below(4))
      report = try await write { try await $0.upsert(try batch.columns(), merging: merge.function) }
      expected = after.apply(batch, merging: merge, at: report.instant ?? Instant(microseconds: 0))
    default:
      let batch = changes(withDeletions: true)
      report = try await write { try await $0.apply(try batch.changes(), scope: shape.scope) }
      expected = after.apply(batch, at: report.instant ?? Instant(microseconds: 0))
    }
    try compare(report, expected)
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
    try compare(try await read(try await table.snapshot()), rows, "the snapshot")
    return rows
  }

  private func compare(_ report: CommitReport, _ expected: CommitReport) throws {
    func counts(_ report: CommitReport) -> String {
      "inserted \(report.inserted), updated \(report.updated), deleted \(report.deleted), stale \(report.stale), "
        + "duplicates \(report.duplicates), superseded \(report.superseded), not found \(report.notFound)"
    }
    guard counts(report) != counts(expected) else { return }
    throw difference("the report says \(counts(report)); expected \(counts(expected))")
  }

  private func compare(_ rows: [StoredRow], _ expected: [StoredRow], _ what: String) throws {
    // Without meta columns a table does not know which commit wrote a row.
    let expected = shape.options.populatesMetaColumns ? expected : expected.map(\.undated)
    guard rows != expected else { return }
    let extra = Set(rows).subtracting(expected).sorted().prefix(5)
    let missing = Set(expected).subtracting(rows).sorted().prefix(5)
    throw difference(
      "\(what) has \(rows.count) rows, expected \(expected.count); only there: \(extra); only expected: \(missing)"
    )
  }

  private func difference(_ message: String) -> Difference {
    Difference(seed: seed, step: step, message: message)
  }
}

/// What comes in.
extension ModelRun {
  mutating func row(key: String) -> ModelRow {
    let isNull = random.oneIn(6) && leastOrder == nil
    return ModelRow(
      key: key, order: isNull ? nil : (leastOrder ?? 0) + Int64(random.below(6)),
      part: Self.parts[random.below(Self.parts.count)],
      value: random.oneIn(5) ? nil : Int64(random.below(3)))
  }

  private mutating func emptyBatch() -> ModelBatch {
    if extraCount < ModelRow.extraLimit, random.oneIn(6) { extraCount += 1 }
    var batch = ModelBatch()
    batch.extraCount = random.below(extraCount + 1)
    batch.hasValue = !random.oneIn(8)
    return batch
  }

  /// The row without what the batch has no columns for, so that the two agree.
  private mutating func fitted(_ row: ModelRow, to batch: ModelBatch) -> ModelRow {
    var row = row
    if !batch.hasValue { row.value = nil }
    row.extras = [String?](repeating: nil, count: ModelRow.extraLimit)
    for index in 0..<batch.extraCount where !random.oneIn(3) { row.extras[index] = "x\(random.below(2))" }
    return row
  }

  private mutating func changes(withDeletions: Bool) -> ModelBatch {
    var batch = emptyBatch()
    for _ in 0..<[0, 1, 5, 40][random.below(4)] {
      // Rows that are stored come again, so that duplicates occur.
      if random.oneIn(6), let stored = model.rows.values.min()?.row, batch.hasValue,
        batch.extraCount == ModelRow.extraLimit
      {
        batch.append(stored)
        continue
      }
      let row = row(key: "k\(random.below(shape.keyCount))")
      batch.append(fitted(row, to: batch), isDelete: withDeletions && random.oneIn(3))
    }
    return batch
  }

  private mutating func freshRows() -> ModelBatch {
    var batch = emptyBatch()
    for _ in 0..<random.below(12) {
      freshKeys += 1
      batch.append(fitted(row(key: "fresh\(freshKeys)"), to: batch))
    }
    return batch
  }

  private mutating func deletions() -> ModelBatch {
    var batch = ModelBatch()
    let isNamed = random.oneIn(2)
    for _ in 0..<random.below(8) {
      let isFresh = freshKeys > 0 && random.oneIn(3)
      var row = row(key: isFresh ? "fresh\(1 + random.below(freshKeys))" : "k\(random.below(shape.keyCount))")
      // A partition is named for all keys or for none.
      row.part = isNamed ? row.part ?? "" : nil
      batch.append(row, isDelete: true)
    }
    return batch
  }
}

/// What goes out.
extension ModelRun {
  /// Every moment of the past, and the changes from it to now and to one in between.
  private mutating func travel() async throws {
    step += 1
    try compare(
      try await read(try await table.snapshot(asOf: Instant(microseconds: 0))), [],
      "the time before all commits")
    for (index, moment) in history.enumerated() {
      let past = try await table.snapshot(asOf: moment.instant)
      try compare(try await read(past), moment.rows, "as of \(moment.instant)")
      let count = try await past.count()
      if count != moment.rows.count { throw difference("\(count) rows counted as of \(moment.instant)") }
      guard shape.options.populatesMetaColumns else { continue }
      for later in [history[index + random.below(history.count - index)], history[history.count - 1]] {
        let changes = try await table.changes(since: moment.instant, until: later.instant)
        try compare(
          try await read(changes), later.rows.filter { $0.instant > moment.instant },
          "changes since \(moment.instant) until \(later.instant)")
      }
    }
  }

  /// A snapshot's rows, its meta columns checked on the way.
  private func read(_ snapshot: Snapshot) async throws -> [StoredRow] {
    var rows: [StoredRow] = []
    var sequences: Set<String> = []
    for try await batch in snapshot {
      for (index, row) in ModelRow.rows(of: batch).enumerated() {
        guard shape.options.populatesMetaColumns else {
          rows.append(StoredRow(row: row, instant: StoredRow.noInstant))
          continue
        }
        let text = { ModelRow.text($0, batch, index) }
        guard let instant = text("_hoodie_commit_time").flatMap({ Instant($0) }),
          text("_hoodie_record_key") == row.key, text("_hoodie_partition_path") == row.path
        else { throw difference("the meta columns of \(row) are wrong") }
        guard let sequence = text("_hoodie_commit_seqno"), sequences.insert(sequence).inserted else {
          throw difference("the sequence number of \(row) is null or not its own")
        }
        rows.append(StoredRow(row: row, instant: instant))
      }
    }
    return rows.sorted()
  }
}
