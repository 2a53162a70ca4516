import TarnColumns
import TarnParquet
import TarnStorage

/// Rows in an order of which there are too many to be held, in a file of this machine's own.
struct SpilledRun: Sendable {
  let path: String
  /// How often its rows were merged.
  var level = 0
}

/// Where rows go for which there is no memory, until they are read again.
struct Spill: Sendable {
  private let storage: any Storage
  /// What the names of files begin with.
  private let name: String
  private let schema: Schema

  /// The least bytes of a run that are read at once.
  static let leastBytes = 64 << 10

  /// Names where runs go.
  ///
  /// - Parameters:
  ///   - storage: A storage of this machine's own.
  ///   - name: What nobody else calls runs there.
  ///   - schema: The columns.
  init(_ storage: any Storage, as name: String, _ schema: Schema) {
    self.storage = storage
    self.name = name
    self.schema = schema
  }

  /// Begins a run.
  ///
  /// - Parameter number: Its own among those of this name.
  func begin(_ number: Int) async throws -> RunWriter {
    let path = "\(name)-\(number).parquet"
    // Read once and soon: what would find a part of it, or what is damaged, takes longer than it saves.
    let options = ParquetWriteOptions(
      compression: .uncompressed, rowGroupBytes: 16 << 20, writesChecksums: false, writesPageIndex: false)
    let target = try await storage.writer(at: path)
    return RunWriter(
      SpilledRun(path: path), try ParquetWriter(schema: schema, to: target, path: path, options: options))
  }

  /// The rows of a run, so many bytes at once.
  func batches(of run: SpilledRun, bytes: Int) async throws -> ParquetBatches {
    let file = try await ParquetFile.open(storage, path: run.path)
    return file.batches(
      columns: Array(schema.fields.indices), rowsPerBatch: CommitFiles.stepRows, bytesPerBatch: bytes,
      readAhead: bytes)
  }

  /// Removes runs; one that cannot be removed is left to whoever looks after such files.
  func remove(_ runs: [SpilledRun]) async {
    guard !runs.isEmpty else { return }
    _ = await storage.delete(runs.map(\.path))
  }
}

/// Writes a run.
final class RunWriter {
  private let run: SpilledRun
  private var writer: ParquetWriter?

  fileprivate init(_ run: SpilledRun, _ writer: consuming ParquetWriter) {
    self.run = run
    self.writer = consume writer
  }

  func append(_ rows: RecordBatch) async throws { try await writer?.append(rows) }

  /// Ends it.
  func finish() async throws -> SpilledRun {
    if let writer = writer.take() { _ = try await writer.finish() }
    return run
  }

  /// Leaves nothing of it.
  func abandon() async {
    if let writer = writer.take() { await writer.abandon() }
  }
}
