import TarnColumns
import TarnParquet
import TarnStorage

/// Parquet files of the local disk.
enum ParquetFixture {
  static func write(
    _ batch: RecordBatch, to path: String, _ options: ParquetWriteOptions = ParquetWriteOptions()
  ) async throws {
    let (storage, name) = place(path)
    var writer = try ParquetWriter(
      schema: batch.schema, to: try await storage.writer(at: name), path: path, options: options)
    try await writer.append(batch)
    _ = try await writer.finish()
  }

  /// All rows of a file, in batches of at most so many.
  static func read(_ path: String, rowsPerBatch: Int) async throws -> [RecordBatch] {
    let (storage, name) = place(path)
    let file = try await ParquetFile.open(storage, path: name)
    var batches: [RecordBatch] = []
    for try await batch in file.batches(
      columns: Array(file.schema.fields.indices), rowsPerBatch: rowsPerBatch)
    {
      batches.append(batch)
    }
    return batches
  }

  private static func place(_ path: String) -> (storage: LocalStorage, name: String) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return (LocalStorage(root: String(path.dropLast(name.count + 1)), scratch: ".scratch"), name)
  }
}
