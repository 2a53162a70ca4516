import TarnColumns
import TarnParquet
import TarnStorage

/// Writes a batch as a Parquet file of the local disk.
enum ParquetFixture {
  static func write(_ batch: RecordBatch, to path: String) async throws {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let storage = LocalStorage(root: String(path.dropLast(name.count + 1)), scratch: ".scratch")
    var writer = try ParquetWriter(schema: batch.schema, to: try await storage.writer(at: name))
    try await writer.append(batch)
    _ = try await writer.finish()
  }
}
