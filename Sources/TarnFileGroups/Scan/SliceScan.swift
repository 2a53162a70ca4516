import TarnColumns
import TarnParquet
import TarnStorage
import TarnTimeline

/// Reads the rows that are looked for out of file slices, in chosen columns: the one way in which rows are read.
package struct SliceScan: Sendable {
  /// The rows.
  package let search: RowSearch
  /// The columns that batches have.
  package let schema: Schema
  /// Whether only the first rows are wanted, so that they are wanted soon.
  package let isLimited: Bool
  let reader: BaseFileReader

  /// Says what is read.
  package init(_ search: RowSearch, schema: Schema, isLimited: Bool = false, _ reader: BaseFileReader) {
    self.search = search
    self.schema = schema
    self.isLimited = isLimited
    self.reader = reader
  }

  /// How many times the bytes of the columns that tell the others must take, so that they are read later.
  private static let worthReadingLater = 2

  /// Opens a slice, and finds the rows that may be wanted.
  ///
  /// - Throws: ``FileGroupError`` where the file or a column of it cannot be read.
  func open(_ slice: FileSlice) async throws(FileGroupError) -> OpenedSlice {
    let file = try await reader.open(slice)
    let telling = search.columns
    let names = telling.union(schema.names)
    let needed = Schema(search.schema.fields.filter { names.contains($0.name) })
    try file.requireReadable(needed)
    let some = file.byteCount(of: Schema(needed.fields.filter { telling.contains($0.name) }))
    let tellsFirst =
      !telling.isEmpty && !isLimited && some * (Self.worthReadingLater + 1) <= file.byteCount(of: needed)
    return OpenedSlice(
      file: file, needed: needed, tellsFirst: tellsFirst,
      selections: try await search.selections(of: file, reader))
  }

  /// The rows of slices, one slice after the other.
  package func rows(of slices: [FileSlice]) -> ScannedRows { ScannedRows(self, slices) }
}

/// A slice that was opened to be read.
struct OpenedSlice: Sendable {
  let file: ParquetFile
  /// The columns that are selected or tell which rows are wanted.
  let needed: Schema
  /// Whether the columns that tell are so few bytes that it pays to read them first.
  let tellsFirst: Bool
  /// The row groups to be read, with the rows that may be wanted.
  let selections: [RowSelection]
}

/// A slice of which the first rows were read.
private struct BegunSlice: Sendable {
  /// Nil where there are none.
  let first: RecordBatch?
  let rest: FileRows

  /// Opens a slice, and reads its first rows.
  init(
    _ slice: FileSlice, _ scan: SliceScan, isolation actor: isolated (any Actor)?
  ) async throws(FileGroupError) {
    var rows = FileRows(try await scan.open(slice), scan)
    first = try await rows.next(isolation: actor)
    rest = rows
  }
}

/// The rows of some slices, batch by batch; while one slice is read, the next is opened and its first rows are read.
package struct ScannedRows {
  private let scan: SliceScan
  private var slices: ArraySlice<FileSlice>
  private var rows: FileRows?
  private var next: SliceAhead?

  init(_ scan: SliceScan, _ slices: [FileSlice]) {
    self.scan = scan
    self.slices = slices[...]
  }

  /// The next batch that is not empty; nil at the end.
  ///
  /// - Throws: ``FileGroupError`` where a file cannot be read.
  package mutating func next(
    isolation actor: isolated (any Actor)?
  ) async throws(FileGroupError) -> RecordBatch? {
    while true {
      if var current = rows {
        rows = nil
        if let batch = try await current.next(isolation: actor) {
          rows = current
          return batch
        }
      }
      guard let begun = try await beginNext(isolation: actor) else { return nil }
      guard let first = begun.first else { continue }
      rows = begun.rest
      return first
    }
  }

  private mutating func beginNext(
    isolation actor: isolated (any Actor)?
  ) async throws(FileGroupError) -> BegunSlice? {
    let begun: BegunSlice
    if let ahead = next {
      next = nil
      begun = try await ahead.value()
    } else {
      guard let slice = slices.popFirst() else { return nil }
      begun = try await BegunSlice(slice, scan, isolation: actor)
    }
    if !scan.isLimited, scan.reader.storage.costs.requestsAtOnce > 1, let slice = slices.popFirst() {
      next = SliceAhead(scan, slice)
    }
    return begun
  }
}

/// A slice that is begun before it is asked for; it is cancelled with whom it is for.
private final class SliceAhead: Sendable {
  private let task: Task<Result<BegunSlice, FileGroupError>, Never>

  init(_ scan: SliceScan, _ slice: FileSlice) {
    task = Task {
      do throws(FileGroupError) {
        return .success(try await BegunSlice(slice, scan, isolation: nil))
      } catch {
        return .failure(error)
      }
    }
  }

  deinit { task.cancel() }

  func value() async throws(FileGroupError) -> BegunSlice {
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    return try result.get()
  }
}
