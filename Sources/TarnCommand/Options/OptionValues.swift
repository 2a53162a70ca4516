import Tarn
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

/// An instant, or a time of which the table has to say which instant it is.
enum PointInTime: Sendable, Hashable {
  case instant(Instant)
  /// In microseconds since 1970-01-01T00:00:00Z.
  case time(Int64)

  init?(_ text: String) {
    if let instant = Instant(text) {
      self = .instant(instant)
    } else if let time = Instant.parse(text)?.microseconds {
      self = .time(time)
    } else {
      return nil
    }
  }

  /// The instant of a table.
  func instant(of table: Table) -> Instant {
    switch self {
    case .instant(let instant): instant
    case .time(let time): table.instant(at: time)
    }
  }
}

/// From where on changes are read.
enum ChangesStart: Sendable, Hashable {
  /// From the beginning, with all rows.
  case beginning
  case time(PointInTime)
  case position(TablePosition)

  /// Whether it goes from one position to the next.
  var isFollowing: Bool { if case .time = self { false } else { true } }
}

/// What is printed on standard error of what happens.
enum LogFormat: String, Sendable, CaseIterable {
  /// What a user should know.
  case notes
  /// Everything, a line each.
  case text
  /// Everything, a JSON object each.
  case json
}
