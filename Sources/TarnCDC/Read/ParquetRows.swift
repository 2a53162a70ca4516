import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage

/// The rows of a Parquet file as lines of JSON, some at a time.
///
/// A delivery stream that converts its records leaves such files, whose columns are the records' members. Rows of change
/// records that were not transformed become such again.
struct ParquetRows: Sendable {
  private let path: String
  private var batches: ParquetBatches.Iterator
  private var lines: JSONLines
  private var batch: RecordBatch?
  private var rows = 0..<0
  /// Whether the rows are change records whose members became columns.
  private let isPayload: Bool

  /// Whether a file begins as Parquet files do.
  static func isOne(_ head: RawSpan) -> Bool {
    head.withUnsafeBytes { $0.starts(with: "PAR1".utf8) }
  }

  init(_ storage: any Storage, _ path: String, size: Int, tag: ObjectTag?) async throws(ChangeError) {
    self.path = path
    do {
      let file = try await ParquetFile.open(storage, path: path, size: size, tag: tag)
      lines = JSONLines(file.schema)
      isPayload = ParquetPayload.isOne(file.schema)
      batches = file.batches(columns: Array(file.schema.fields.indices)).makeAsyncIterator()
    } catch {
      throw .parquet(error, path: path)
    }
  }

  /// Appends the lines of some rows; false where none is left.
  mutating func append(to out: inout [UInt8]) async throws(ChangeError) -> Bool {
    while rows.isEmpty {
      do { batch = try await batches.next() } catch { throw .parquet(error, path: path) }
      guard let batch else { return false }
      rows = 0..<batch.count
    }
    guard let batch else { return false }
    guard isPayload else {
      rows = lines.append(firstOf: rows, of: batch, to: &out)
      return true
    }
    var plain: [UInt8] = []
    rows = lines.append(firstOf: rows, of: batch, to: &plain)
    ParquetPayload.append(plain, to: &out)
    return true
  }
}

extension ChangeError {
  fileprivate static func parquet(_ error: any Error, path: String) -> ChangeError {
    ChangeError(.parquet, path: path, "\(error)", cause: error)
  }
}
