import Synchronization
import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// What came of an actor's deed.
enum Ending: Sendable {
  /// It was told that its commit stands.
  case committed(Instant?)
  case failed(TableError)
  /// The rows of each look.
  case saw([[Trade]])
  /// What came of each of its tasks.
  case several([Ending])
  case broke(any Error)
}

/// A process that works on the table through its storage.
struct Process: Sendable {
  /// The key of a commit's metadata that names its actor.
  static let key = "actor"

  let storage: any Storage
  let number: Int
  /// How often a write begins again.
  var retries = 10

  private var location: TableLocation { .storage(storage, name: "explored/trades") }

  private var settings: TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock(step: 1_000)
    settings.now = { clock.now() }
    // Whatever a pause is cut to, it is none.
    let random = Mutex(SeededGenerator(seed: UInt64(number)))
    settings.random = { random.withLock { $0.next() / 64_000 * 64_000 } }
    settings.parallelism = 1
    settings.smallFilesAtOnce = 1
    settings.patience = .nanoseconds(64)
    // However long a run takes on a busy machine, no sign is renewed in the middle.
    settings.heartbeat = .seconds(1_000_000)
    settings.retries = retries
    return settings
  }

  func create() async throws {
    _ = try await Table.create(
      at: location, schema: Trade.schema, recordKey: ["id"], partitionedBy: ["exchange"], orderedBy: "time",
      settings: settings)
  }

  func open() async throws(TableError) -> Table { try await Table.open(at: location, settings: settings) }

  func run(_ deed: Deed) async -> Ending {
    do throws(TableError) {
      let table = try await open()
      switch deed {
      case .upsert(let trades, let isTransaction):
        let batch: RecordBatch
        do { batch = try Trade.batch(trades) } catch { return .broke(error) }
        let transaction = isTransaction ? WriteTransaction(application: "explorer", version: 1) : nil
        let options = WriteOptions(transaction: transaction, metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).upsert(batch).instant)
      case .together(let batches): return await together(batches, on: table)
      case .move(let trades):
        let changes: ChangeBatch
        do { changes = ChangeBatch(upserting: try Trade.batch(trades)) } catch { return .broke(error) }
        let options = WriteOptions(metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).apply(changes).instant)
      case .delete(let ids):
        let keys: RecordBatch
        do {
          var id = ColumnBuilder(.string)
          for text in ids { try id.append(text) }
          keys = try RecordBatch(schema: Schema([Field("id", .string)]), columns: [id.finish()])
        } catch { return .broke(error) }
        let options = WriteOptions(metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).delete(keys).instant)
      case .foreign:
        do { return .committed(try await SparkActor(storage: storage, number: number).commit()) } catch {
          return .broke(error)
        }
      case .foreignRollback, .foreignUndo, .archive: return await foreign(deed)
      case .rollBack: return try await rollBack(on: table)
      case .restore, .undo, .clean: return try await serve(deed, on: table)
      case .widen(let trade, let column):
        let rows: RecordBatch
        do {
          var batch = try Trade.batch([trade])
          var values = ColumnBuilder(.string)
          try values.append(trade.note ?? "")
          batch.schema.fields.append(Field(column, .string))
          batch.columns.append(values.finish())
          rows = batch
        } catch { return .broke(error) }
        let options = WriteOptions(metadata: [Self.key: String(number)])
        return .committed(try await table.writing(options).upsert(rows).instant)
      case .read(let times):
        var looks: [[Trade]] = []
        for _ in 0..<times { looks.append(try await Self.rows(of: table)) }
        return .saw(looks)
      }
    } catch { return .failed(error) }
  }

  /// What another engine does that is no commit.
  private func foreign(_ deed: Deed) async -> Ending {
    let spark = SparkActor(storage: storage, number: number)
    do {
      switch deed {
      case .foreignRollback: try await spark.rollBackOldest()
      case .foreignUndo: try await spark.undoLatest()
      default: try await spark.archive()
      }
      return .saw([])
    } catch { return .broke(error) }
  }

  /// Takes commits back, or cleans; what cannot be done any more when it comes to that is no error.
  private func serve(_ deed: Deed, on table: Table) async throws(TableError) -> Ending {
    let timeline = try await table.timeline()
    guard let first = timeline.first, let latest = timeline.latest else { return .saw([]) }
    do throws(TableError) {
      switch deed {
      case .restore: try await table.restore(to: first.instant)
      case .undo: if latest != first { try await table.rollBackCompleted(latest.instant) }
      default: try await table.clean(keeping: .versions(1))
      }
    } catch {
      switch error.code {
      // Another came first, or a clean did.
      case .conflict, .mismatch, .cleaned: break
      default: throw error
      }
    }
    return .saw([])
  }

  /// Rolls back the first attempt there is; what is none any more when it comes to that is no error.
  private func rollBack(on table: Table) async throws(TableError) -> Ending {
    guard let attempt = try await table.attempts().first else { return .saw([]) }
    do throws(TableError) { try await table.rollBack(attempt.entry.instant, force: true) } catch {
      switch error.code {
      case .conflict, .mismatch, .unsupported: break
      default: throw error
      }
    }
    return .saw([])
  }

  /// Upserts batches on one table at the same time.
  private func together(_ batches: [[Trade]], on table: Table) async -> Ending {
    await withTaskGroup(of: (Int, Ending).self) { group in
      for (index, trades) in batches.enumerated() {
        group.addTask {
          do {
            let actor = Scenario.task(index, of: number)
            let options = WriteOptions(metadata: [Self.key: String(actor)])
            return (index, .committed(try await table.writing(options).upsert(Trade.batch(trades)).instant))
          } catch let error as TableError { return (index, .failed(error)) } catch {
            return (index, .broke(error))
          }
        }
      }
      var endings: [(Int, Ending)] = []
      for await ending in group { endings.append(ending) }
      return .several(endings.sorted { $0.0 < $1.0 }.map(\.1))
    }
  }

  /// The values of a column by their keys, but for nulls.
  static func values(of column: String, in table: Table) async throws(TableError) -> [String: String] {
    var iterator = try await table.snapshot().makeAsyncIterator()
    var found: [String: String] = [:]
    while let batch = try await iterator.next(isolation: nil) {
      for (row, trade) in Trade.rows(of: batch).enumerated() {
        guard let values = batch[column], !values.isNull(row) else { continue }
        found[trade.id] = values.strings?.string(row)
      }
    }
    return found
  }

  static func rows(of table: Table) async throws(TableError) -> [Trade] {
    var iterator = try await table.snapshot().makeAsyncIterator()
    var rows: [Trade] = []
    while let batch = try await iterator.next(isolation: nil) { rows += Trade.rows(of: batch) }
    return rows.sorted { $0.id < $1.id }
  }
}
