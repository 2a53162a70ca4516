import TarnColumns

/// What a file's page index tells of one data page.
public struct PageStatistics: Sendable, Hashable {
  /// The page's rows, counted from the begin of the row group.
  public var rows: Range<Int>
  /// Bounds and number of nulls; a page of nulls has no bounds.
  public var values: ColumnStatistics
  /// Whether all values are null.
  public var isAllNull: Bool
}

extension ParquetFile {
  /// The bounds of each data page of a flat column, from the page index; nil where the file has none, or one that
  /// contradicts itself or the file, which ``warning(_:)`` tells.
  ///
  /// - Throws: ``ParquetError`` where the storage fails, or there is no such group or column.
  public func pageStatistics(group: Int, column: Int) async throws(ParquetError) -> [PageStatistics]? {
    try check(group, [column])
    guard let leaf = nodes[column].flatLeaf, metadata.groups[group].columns[leaf.chunk].columnIndex != nil,
      let offsets = try await offsetIndexes(group, [leaf]).first?.index
    else { return nil }
    let rows = offsets.pageRows(of: metadata.groups[group].rowCount)
    guard let index = try await columnIndex(group, leaf, pageRows: rows) else { return nil }
    return offsets.pages.enumerated().map { number, page in
      PageStatistics(
        rows: page.firstRow..<page.firstRow + rows[number], values: index.values(ofPage: number, leaf),
        isAllNull: index.nullPages[number])
    }
  }
}

extension ColumnIndex {
  /// What is known of a page's values.
  fileprivate func values(ofPage number: Int, _ leaf: LeafColumn) -> ColumnStatistics {
    let (least, greatest) = (minimums[number], maximums[number])
    // Writers leave bounds empty that they do not know; those of empty strings alone are no loss.
    let isKnown = !nullPages[number] && leaf.hasOrderOfType && !greatest.isEmpty
    let bounds = isKnown ? ParquetFile.bounds(least, greatest, leaf) : (nil, nil)
    return ColumnStatistics(nullCount: nullCount(ofPage: number), minimum: bounds.0, maximum: bounds.1)
  }
}
