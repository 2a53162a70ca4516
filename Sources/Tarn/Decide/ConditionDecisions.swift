import TarnBytes
import TarnFileGroups
import TarnTimeline

/// The rows of one file that a condition changes.
struct ChosenFile: Sendable {
  /// The version of the file group in which they are.
  let slice: FileSlice
  /// What its footer tells.
  let facts: BaseFileFacts
  /// The rows, and what becomes of them.
  let rows: ChosenRows
}

/// Decides which of the rows for which a condition is true change.
struct ConditionDecisions: Sendable {
  let effect: ConditionEffect
  let reader: BaseFileReader
  let parallelism: Int

  /// The rows of files that change; those that have the new values already do not.
  ///
  /// - Throws: ``TableError`` where a file cannot be read.
  func chosen(_ files: [FoundRows]) async throws(TableError) -> (files: [ChosenFile], counts: RowCounts) {
    let rowEffect = effect.effect
    let chosen = try await tableErrors {
      try await concurrently(files, width: parallelism) { file in
        var positions = file.positions
        if let assignments = effect.assignments {
          positions = try await assignments.changed(positions, of: try await reader.open(file.slice))
        }
        return ChosenFile(slice: file.slice, facts: file.facts, rows: ChosenRows(positions, rowEffect))
      }
    }
    var counts = RowCounts()
    for (found, file) in zip(files, chosen) {
      counts.duplicates += found.positions.count - file.rows.count
      if rowEffect.isDeletion { counts.deleted += file.rows.count } else { counts.updated += file.rows.count }
    }
    return (chosen, counts)
  }
}
