import TarnColumns
import TarnIndex
import TarnParquet
import TarnTimeline

/// Goes through the record keys that base files store, row by row.
package struct StoredKeyScan: Sendable {
  private let storedKeys: StoredKeys
  private let reader: BaseFileReader

  /// Reads the keys of a table.
  package init(_ storedKeys: StoredKeys, _ reader: BaseFileReader) {
    self.storedKeys = storedKeys
    self.reader = reader
  }

  /// Rows whose keys are held at once, and bytes of their pages that are read ahead.
  private static let rows = 32_768
  private static let readAhead = 4 << 20

  /// Gives the keys of a slice's rows to a body, some thousand at a time; a row without one has an empty text.
  ///
  /// - Throws: ``FileGroupError``.
  package func forEach(
    in slice: FileSlice, _ body: (ByteStrings) -> Void
  ) async throws(FileGroupError) {
    try await fileGroupErrors {
      let file = try await reader.open(slice)
      let columns = try storedKeys.columns(in: file)
      for try await rows in file.batches(
        columns: columns, rowsPerBatch: Self.rows, readAhead: Self.readAhead)
      {
        body(try storedKeys.keys(of: rows))
      }
    }
  }
}
