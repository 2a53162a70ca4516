import Foundation
import TarnColumns
import TarnParquet
import TarnStorage

/// Something done with a Parquet file, in a process of its own.
enum ParquetTask: String {
  /// All columns into memory.
  case readAll = "read-all"
  /// Three of the columns into memory.
  case readThree = "read-three"
  /// The rows, which are in memory, into a file.
  case write
  /// All columns, batch for batch, keeping none.
  case streamRead = "stream-read"
  /// Rows made up batch for batch, into a file.
  case streamWrite = "stream-write"

  static let threeColumns = ["transaction_id", "timestamp", "price"]

  /// Does the task so many times.
  ///
  /// - Returns: The least time that it took, in seconds, without what goes before it.
  func run(file path: String, out: String, repeats: Int) async throws -> Double {
    let (storage, name) = Self.place(path)
    let file = try await ParquetFile.open(storage, path: name)
    let rows = self == .write ? try await readAll(file, nil) : []
    var best = Double.infinity
    for _ in 0..<repeats {
      let begin = ContinuousClock.now
      switch self {
      case .readAll: _ = try await readAll(try await ParquetFile.open(storage, path: name), nil)
      case .readThree:
        _ = try await readAll(try await ParquetFile.open(storage, path: name), Self.threeColumns)
      case .write: try await write(rows, file.schema, to: out)
      case .streamRead:
        for try await _ in file.batches(columns: Array(file.schema.fields.indices)) {}
      case .streamWrite: try await TradeRows(seed: 5, count: file.rowCount).write(to: out)
      }
      best = min(best, (ContinuousClock.now - begin) / .seconds(1))
    }
    return best
  }

  private func readAll(_ file: ParquetFile, _ names: [String]?) async throws -> [RecordBatch] {
    let columns = try names.map { names in try names.map { try file.columnIndex($0) } }
    return try await file.readRowGroups(
      Array(0..<file.rowGroupCount), columns: columns ?? Array(file.schema.fields.indices))
  }

  private func write(_ rows: [RecordBatch], _ schema: Schema, to path: String) async throws {
    var writer = try ParquetWriter(schema: schema, to: try PlainFile(path), path: path)
    for batch in rows { try await writer.append(batch) }
    _ = try await writer.finish()
  }

  private static func place(_ path: String) -> (storage: LocalStorage, name: String) {
    let url = URL(fileURLWithPath: path)
    let storage = LocalStorage(root: url.deletingLastPathComponent().path, scratch: ".scratch")
    return (storage, url.lastPathComponent)
  }
}

/// A file that is not forced to the disk, as the peers' are not.
private actor PlainFile: ObjectWriter {
  private var file: OutputFile?

  init(_ path: String) throws { file = try OutputFile(path) }

  func write(_ bytes: [UInt8]) throws(StorageError) {
    do {
      file?.buffer.append(contentsOf: bytes)
      try file?.flush(above: 1 << 20)
    } catch {
      throw StorageError(.failed, path: "", error.description)
    }
  }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) throws(StorageError) {
    file = nil
    throw StorageError(.unsupported, path: path, "it belongs to no storage")
  }

  func finish(if condition: PutCondition) throws(StorageError) -> ObjectTag {
    do {
      try file.take()?.finish()
    } catch {
      throw StorageError(.failed, path: "", error.description)
    }
    return ObjectTag("")
  }

  func abandon() { file = nil }
}
