import TarnColumns

/// How Spark tells by which calendar a file's dates and times are counted.
///
/// Until version 3 Spark counted dates before 1582-10-15 by the Julian calendar, and times before 1900 by rules of their
/// zone that are no longer known; later versions do so where they are told to (`datetimeRebaseModeInWrite=LEGACY`), and
/// then leave a mark. Source: Spark's `DataSourceUtils.datetimeRebaseSpec` and `RebaseDateTime`.
package enum SparkCalendar {
  /// Footer key of the version that wrote a file.
  package static let versionKey = "org.apache.spark.version"
  /// A version whose values are counted as Parquet says.
  package static let version = "3.5.0"
  /// Footer key that files have whose values are counted in the old way.
  static let legacyKey = "org.apache.spark.legacyDateTime"

  /// The first day that both calendars count alike: 1582-10-15.
  static let firstCommonDay: Int64 = -141_427
  /// The first second that all zones count alike: 1900-01-01T00:00:00Z.
  static let firstCommonSecond: Int64 = -2_208_988_800
}

extension DataType {
  /// Whether values are days or times since 1970.
  package var isDateOrTimestamp: Bool {
    switch self {
    case .date, .timestamp: true
    default: false
    }
  }
}

extension FileMetadata {
  /// Why the values of columns are not those that the file seems to hold, by the columns' names.
  ///
  /// Only a column whose statistics show that all its values are recent is free of doubt.
  func calendarObjections(_ columns: [SchemaNode]) -> [String: String] {
    guard hasLegacyCalendar else { return [:] }
    var objections: [String: String] = [:]
    for column in columns where column.field.type.holdsDateOrTimestamp && !isRecent(column) {
      objections[column.field.name] =
        "its values may be counted by the calendar of Spark 2 (\(SparkCalendar.legacyKey)): have Spark write the file "
        + "anew with spark.sql.parquet.datetimeRebaseModeInWrite=CORRECTED"
    }
    return objections
  }

  /// Whether the file says that its dates and times are counted in the old way.
  private var hasLegacyCalendar: Bool {
    if keyValues.contains(where: { $0.key == SparkCalendar.legacyKey }) { return true }
    guard let version = keyValues.first(where: { $0.key == SparkCalendar.versionKey })?.value.utf8,
      let major = version.first
    else { return false }
    return (0x30...0x32).contains(major) && version.dropFirst().first == 0x2e
  }

  private func isRecent(_ column: SchemaNode) -> Bool {
    guard let leaf = column.flatLeaf else { return false }
    // These have marks of their own.
    if leaf.physical == .int96 { return true }
    let least: Int64
    switch column.field.type {
    case .date: least = SparkCalendar.firstCommonDay
    case .timestamp(let unit, _): least = SparkCalendar.firstCommonSecond * unit.perSecond
    default: return false
    }
    return groups.allSatisfy { group in
      guard group.rowCount > 0 else { return true }
      let chunk = group.columns[leaf.chunk]
      guard let stored = chunk.statistics else { return false }
      let statistics = ParquetFile.statistics(stored, leaf, values: chunk.valueCount)
      if statistics.nullCount == group.rowCount { return true }
      guard case .integer(let minimum)? = statistics.minimum else { return false }
      return minimum >= least
    }
  }
}

extension DataType {
  /// Whether values are days or times since 1970, or hold some.
  fileprivate var holdsDateOrTimestamp: Bool {
    switch self {
    case .list(let element): element.type.holdsDateOrTimestamp
    case .structure(let fields): fields.contains { $0.type.holdsDateOrTimestamp }
    case .map(let key, let value): key.type.holdsDateOrTimestamp || value.type.holdsDateOrTimestamp
    default: isDateOrTimestamp
    }
  }
}
