import TarnAvro
import TarnBytes
import TarnExpressions
import TarnFileGroups
import TarnTimeline

/// The rows of one file for which a condition is true.
struct FoundRows: Sendable {
  /// The version of the file group in which they are.
  let slice: FileSlice
  /// What its footer tells.
  let facts: BaseFileFacts
  /// Their positions in the file, ascending.
  let positions: [Int]
}

/// Finds the rows for which a condition is true, as a snapshot finds them: partitions are ruled out before they are
/// listed, files, row groups and pages by what is known of them, and only the columns of the condition are read.
struct ConditionLookup: Sendable {
  let state: TableState
  let table: WritableTable
  let settings: TableSettings
  let reader: BaseFileReader

  /// Looks for rows.
  ///
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one.
  func rows(where condition: Condition) async throws(TableError) -> [FoundRows] {
    try await tableErrors {
      let full =
        table.properties.populatesMetaFields ? MetaColumns.added(to: table.schema) : table.schema
      let search = try RowSearch(full, table.properties).narrowed(by: condition)
      let found = try await SliceFinder(table.properties, state.timeline, reader).slices(for: search)
      try await check(found)
      let files = try await concurrently(found.slices, width: settings.filesAtOnce) { slice in
        try await rows(search, in: slice)
      }
      return files.compactMap(\.self)
    }
  }

  private func check(_ found: FoundSlices) async throws {
    let written = try await WrittenFiles(
      state, reader.storage, parallelism: settings.filesAtOnce
    ) { (try? found.covers($0)) ?? true }
    try written.check(found.slices)
  }

  private func rows(_ search: RowSearch, in slice: FileSlice) async throws -> FoundRows? {
    let file = try await reader.open(slice)
    let positions = try await search.positions(in: file, reader)
    guard !positions.isEmpty else { return nil }
    // Checked before the file is written anew: files that Tarn wrote are not checked again.
    _ = try await reader.open(slice, checking: table.keys.check)
    return FoundRows(slice: slice, facts: BaseFileFacts(file), positions: positions)
  }
}
