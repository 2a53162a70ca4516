/// Something in a Parquet file that is not as the format, or the file itself, says.
public struct ParquetFinding: Sendable, Hashable, CustomStringConvertible {
  /// The row group's number, from 0 on, where it belongs to one.
  public var rowGroup: Int?
  /// The column's path, joined by points, where it belongs to one.
  public var column: String?
  /// The number of the data page within its chunk, from 0 on, where it belongs to one.
  public var page: Int?
  /// Where in the file the part begins, where that is known.
  public var offset: Int?
  /// What is not true, for people.
  public var message: String

  /// The place, and what is not true there.
  public var description: String {
    var place: [String] = []
    if let rowGroup { place.append("row group \(rowGroup)") }
    if let column { place.append("column \(column)") }
    if let page { place.append("page \(page)") }
    if let offset { place.append("at byte \(offset)") }
    return place.isEmpty ? message : place.joined(separator: ", ") + ": " + message
  }
}
