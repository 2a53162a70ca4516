import Tarn
import TarnCDC
import TarnColumns
import TarnParquet

/// Reads whole Parquet files of flat columns.
struct ParquetInput {
  /// Opens a file whose columns can all be read.
  ///
  /// - Parameter cutsNanoseconds: Whether times that are finer than microseconds lose those digits.
  /// - Returns: The file without its columns of the null type, which tell no type that a table could have, and the
  ///   names of these.
  static func open(
    _ path: String, cutsNanoseconds: Bool = false
  ) async throws -> (file: ParquetFile, untyped: [String]) {
    let source = try InputSource.file(path)
    do {
      let file = try await ParquetFile.open(source.storage, path: source.name)
      if let (name, reason) = file.unreadable.min(by: { $0.key < $1.key }) {
        throw CommandError("\(path): column \(name) cannot be taken: \(reason)")
      }
      let whole = cutsNanoseconds ? file.cuttingNanoseconds() : file
      let untyped = file.schema.names.filter(file.untyped.contains)
      guard !untyped.isEmpty else { return (whole, []) }
      for name in untyped { try await requireNulls(file, name, at: path) }
      return (try whole.selecting(file.schema.names.filter { !file.untyped.contains($0) }), untyped)
    } catch let error as ParquetError {
      throw CommandError(source.prefix + error.description)
    }
  }

  private static func requireNulls(_ file: ParquetFile, _ name: String, at path: String) async throws {
    let column = try file.columnIndex(name)
    for group in 0..<file.rowGroupCount {
      let rows = try await file.readRowGroup(group, columns: [column])
      guard rows.columns.allSatisfy({ $0.nullCount == rows.count }) else {
        throw CommandError(
          "\(path): column \(name) has the null type, and values that are not null: write the file anew")
      }
    }
  }

  /// Says that columns of the null type are left out.
  static func sayUntyped(_ names: [String], of path: String) {
    guard !names.isEmpty else { return }
    StandardError.note("\(path): \(UntypedNames.warning(names) ?? "")")
  }

  /// The rows of a file, a batch a row group, two of which are read at once.
  ///
  /// Strings that repeat stay in their dictionaries: end to end they might take any amount of memory.
  static func batches(
    _ file: ParquetFile, at path: String, convert: @escaping @Sendable (RecordBatch) throws -> RecordBatch
  ) async throws -> [RecordBatch] {
    let columns = Array(file.schema.fields.indices)
    let file = file.keepingDictionaries()
    do {
      return try await withThrowingTaskGroup(of: (Int, RecordBatch).self) { group in
        var batches = [RecordBatch?](repeating: nil, count: file.rowGroupCount)
        for index in batches.indices {
          if index >= 2, let (done, batch) = try await group.next() { batches[done] = batch }
          group.addTask {
            var rows = try await file.readRowGroup(index, columns: columns)
            for column in columns {
              rows.columns[column] = try rows.columns[column].withoutNeedlessDictionary()
            }
            return (index, try convert(rows))
          }
        }
        for try await (done, batch) in group { batches[done] = batch }
        return batches.compactMap { $0 }
      }
    } catch let error as ParquetError {
      throw CommandError(try InputSource.file(path).prefix + error.description)
    }
  }
}

/// Rows that a new table takes, one batch after the other; what it refuses goes to the dead letters where these are
/// wanted.
actor TakenRows {
  private let rows: ParquetRows
  private let table: Table
  private let policy: ErrorPolicy
  /// Rows that the table refused.
  private(set) var deadLetters = DeadLetters()
  /// Letters that are stored.
  private(set) var stored: StoredDeadLetters
  /// The batch that was given last.
  private var last: (rows: RecordBatch, path: String, row: Int)?

  init(_ rows: ParquetRows, by table: Table, _ policy: ErrorPolicy, _ stored: StoredDeadLetters) {
    self.stored = stored
    self.rows = rows
    self.table = table
    self.policy = policy
  }

  /// The next batch; nil at the end, once the dead letters are stored.
  func next() async throws -> RecordBatch? {
    last = try await rows.next()
    guard let (batch, path, first) = last else {
      try deadLetters.store(policy, besides: &stored)
      return nil
    }
    guard case .deadLetter = policy else { return batch }
    let refused = try await table.refusedRows(in: ChangeBatch(upserting: batch), scope: .partition)
    guard !refused.isEmpty else { return batch }
    for row in refused {
      deadLetters.append(row.row, of: batch, at: first + row.row, in: path, row.reason)
    }
    return try batch.gather(batch.rows(without: refused.map(\.row)))
  }
}

extension TakenRows {
  /// What a table says of a row that it does not take, with file and row: keys are made of each batch before the next
  /// is asked for.
  func located(_ error: TableError) async -> any Error {
    guard let (batch, path, first) = last,
      let refused = try? await table.refusedRows(in: ChangeBatch(upserting: batch), scope: .partition).first
    else { return error }
    return CommandError("\(path), row \(first + refused.row + 1): \(refused.reason)")
  }
}

/// The rows of Parquet files, one batch after the other.
actor ParquetRows {
  private var files: ArraySlice<(path: String, file: ParquetFile)>
  private let zone: ZoneConversion
  private let schema: Schema
  private var batches: ParquetBatches.Iterator?
  /// The position of the next row in its file.
  private var row = 0
  /// What went wrong with a file.
  private(set) var failure: (any Error)?

  /// About how many stored bytes a batch has, and between how many rows.
  private static let batchBytes = 4 << 20
  private static let batchRows = 1_024...49_152
  private static let readAhead = 8 << 20
  /// The most bytes that these take in memory, and the part of the memory for writing.
  private static let decodedBytes = 8 << 20
  private static let partOfMemory = 16
  private let bytesPerBatch: Int

  /// - Parameters:
  ///   - schema: The columns that all batches are to have.
  ///   - memory: Bytes of memory for writing.
  init(
    _ files: [(path: String, file: ParquetFile)], _ zone: ZoneConversion, _ schema: Schema, memory: Int
  ) {
    bytesPerBatch = min(Self.decodedBytes, memory / Self.partOfMemory)
    self.files = files[...]
    self.zone = zone
    self.schema = schema
  }

  /// The next batch, and where its first row stands; nil at the end.
  ///
  /// After an error it fails again.
  func next() async throws -> (rows: RecordBatch, path: String, row: Int)? {
    if let failure { throw failure }
    do {
      while let (path, file) = files.first {
        var batches = self.batches ?? self.batches(of: file)
        let batch = try await batches.next(isolation: self)
        self.batches = batches
        if let batch {
          let rows = try BatchJoin.filled(try zone.converted(batch, table: nil), with: schema.fields)
          defer { row += batch.count }
          return (try rows.select(schema.names), path, row)
        }
        self.batches = nil
        row = 0
        files = files.dropFirst()
      }
      return nil
    } catch let error as ParquetError {
      let prefix = try InputSource.file(files.first?.path ?? "").prefix
      failure = CommandError(prefix + error.description)
      throw error
    } catch {
      failure = error
      throw error
    }
  }

  private func batches(of file: ParquetFile) -> ParquetBatches.Iterator {
    let rows = Self.batchBytes / max(file.encodedBytes / max(file.rowCount, 1), 1)
    return file.batches(
      columns: Array(file.schema.fields.indices),
      rowsPerBatch: min(max(rows, Self.batchRows.lowerBound), Self.batchRows.upperBound),
      bytesPerBatch: bytesPerBatch, readAhead: Self.readAhead
    ).makeAsyncIterator()
  }
}

extension RecordBatch {
  /// No rows of a schema.
  init(noneOf schema: Schema) throws(ColumnError) {
    try self.init(
      schema: schema, columns: schema.fields.map { Column(nulls: 0, of: $0.type) }, count: 0)
  }
}
