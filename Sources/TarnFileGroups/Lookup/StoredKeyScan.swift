import TarnBytes
import TarnColumns
import TarnExpressions
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
  /// Keys beyond which statistics are compared with their range alone.
  private static let mostKeys = 256

  /// Gives the keys of a slice's rows to a body, some thousand at a time; a row without one has an empty text.
  ///
  /// - Throws: ``FileGroupError``.
  package func forEach(
    in slice: FileSlice, _ body: (ByteStrings) -> Void
  ) async throws(FileGroupError) {
    let file = try await reader.open(slice)
    let all = (0..<file.rowGroupCount).map { RowSelection(group: $0) }
    try await forEach(in: file, selecting: all) { keys, _ in body(keys) }
  }

  /// Gives the keys of a file's rows to a body that may be among some that are looked for, with their positions in the
  /// file, which need not ascend where the page index is wrong.
  ///
  /// Statistics rule row groups and pages out, as they do for any condition.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - rows: Which keys are looked for.
  ///   - keys: The keys of a batch.
  /// - Throws: ``FileGroupError``.
  func forEach(
    in file: ParquetFile, amongKeysOf rows: [Int32], _ keys: ByteStrings,
    _ body: (ByteStrings, [Range<Int>]) -> Void
  ) async throws(FileGroupError) {
    var selections: [RowSelection] = []
    let condition = condition(rows, keys)
    for group in 0..<file.rowGroupCount {
      guard let condition else {
        selections.append(RowSelection(group: group))
        continue
      }
      let found = try await condition.selection(file, group: group, schema: storedKeys.schema)
      if let found { selections.append(found) }
    }
    try await forEach(in: file, selecting: selections, body)
  }

  private func forEach(
    in file: ParquetFile, selecting selections: [RowSelection], _ body: (ByteStrings, [Range<Int>]) -> Void
  ) async throws(FileGroupError) {
    let starts = file.groupStarts
    try await fileGroupErrors {
      var batches = file.batches(
        columns: try storedKeys.columns(in: file), rowsPerBatch: Self.rows, selecting: selections,
        readAhead: Self.readAhead
      ).makeAsyncIterator()
      while let rows = try await batches.next() {
        let start = starts[batches.place.group]
        body(
          try storedKeys.keys(of: rows),
          batches.place.rows.map { start + $0.lowerBound..<start + $0.upperBound })
      }
    }
  }

  /// What is true of the stored keys that are some; nil where that cannot be said.
  private func condition(_ rows: [Int32], _ keys: ByteStrings) -> Condition? {
    guard !storedKeys.areMade, let name = storedKeys.schema.names.first, let first = rows.first else {
      return nil
    }
    guard rows.count > Self.mostKeys else {
      let literals = rows.compactMap { literal(keys[Int($0)]) }
      return literals.count == rows.count ? .isIn(name, literals) : nil
    }
    var (least, greatest) = (Int(first), Int(first))
    for row in rows {
      if keys.precedes(Int(row), keys, least) { least = Int(row) }
      if keys.precedes(greatest, keys, Int(row)) { greatest = Int(row) }
    }
    guard let least = literal(keys[least]), let greatest = literal(keys[greatest]) else { return nil }
    let column = Condition.column(name)
    return column >= least && column <= greatest
  }

  /// A key as a literal; nil for one that is no text.
  private func literal(_ key: RawSpan) -> Literal? {
    String(validating: key.copied(), as: UTF8.self).map { .string($0) }
  }
}
