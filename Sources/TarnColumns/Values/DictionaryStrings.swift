/// Strings of which many are equal: each a position among shared entries, as Parquet's dictionary pages have it.
public struct DictionaryStrings: Sendable {
  /// The position among the entries of each string; all lie among them.
  @inlinable public var indices: [UInt32] { positions }
  @usableFromInline var positions: [UInt32]
  /// The strings there are; columns with the same object share them, and equal positions are equal strings.
  public private(set) var entries: Entries

  /// Strings that columns share.
  public final class Entries: Sendable {
    /// The strings, which may repeat.
    public let strings: ByteStrings
    /// Bytes of the longest of them.
    public let greatestLength: Int

    /// Makes entries that columns may share.
    public init(_ strings: ByteStrings) {
      self.strings = strings
      var greatest = 0
      for index in 0..<strings.count { greatest = max(greatest, strings.length(index)) }
      greatestLength = greatest
    }
  }

  /// Makes strings of their parts.
  ///
  /// - Throws: ``ColumnError`` where a position does not lie among the entries.
  public init(indices: [UInt32], entries: Entries) throws(ColumnError) {
    let greatest = indices.reduce(0) { max($0, $1) }
    guard indices.isEmpty || Int(greatest) < entries.strings.count else {
      throw ColumnError.malformed(
        "position \(greatest) among \(entries.strings.count) entries of a dictionary")
    }
    positions = indices
    self.entries = entries
  }

  init(unchecked indices: [UInt32], _ entries: Entries) {
    positions = indices
    self.entries = entries
  }

  /// Number of strings.
  public var count: Int { indices.count }

  /// The position of a string among the entries; the index must be below ``count``.
  @inlinable
  public func position(_ index: Int) -> Int { Int(indices[index]) }

  /// The same strings end to end, as columns have them otherwise.
  ///
  /// - Throws: ``ColumnError`` where they would pass 2 GiB.
  public func plain() throws(ColumnError) -> ByteStrings {
    var strings = ByteStrings()
    try strings.append(entries.strings, rows: positions.span)
    return strings
  }

  /// The bytes that a range of the strings takes end to end.
  package func plainByteCount(_ rows: Range<Int>) -> Int {
    let strings = entries.strings
    var total = 0
    for position in positions[rows] { total &+= strings.length(Int(position)) }
    return total
  }

  /// Whether a range of the strings takes at most so many bytes end to end.
  package func isAtMost(_ bytes: Int, _ rows: Range<Int>) -> Bool {
    let (most, overflow) = rows.count.multipliedReportingOverflow(by: entries.greatestLength)
    return !overflow && most <= bytes || plainByteCount(rows) <= bytes
  }
}
