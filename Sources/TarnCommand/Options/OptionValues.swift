import TarnColumns
import TarnTimeline

/// What is done with records that cannot be taken.
enum ErrorPolicy: Sendable, Hashable {
  /// The first one ends the command, and nothing is written.
  case fail
  /// They are kept in a file, and the others are taken.
  case deadLetter(String)
}

/// A column and the type that it is to have.
struct WidenedColumn: Sendable {
  let name: String
  let type: DataType
}

/// How rows are written.
enum OutputFormat: String, Sendable, CaseIterable {
  case table, jsonl, csv, parquet
}

/// From where on changes are read.
enum ChangesStart: Sendable, Hashable {
  /// From the beginning, with all rows.
  case beginning
  case instant(Instant)
  case position(TablePosition)

  /// Whether it goes from one position to the next.
  var isFollowing: Bool { if case .instant = self { false } else { true } }
}
