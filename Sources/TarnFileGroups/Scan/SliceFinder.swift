import TarnBytes
import TarnExpressions
import TarnTimeline

/// Finds the file slices in which there may be rows that are looked for; partitions are ruled out before they are
/// listed.
package struct SliceFinder: Sendable {
  private let reader: BaseFileReader
  private let properties: TableProperties
  private let timeline: Timeline

  /// Finds slices of a table as its timeline has it.
  package init(_ properties: TableProperties, _ timeline: Timeline, _ reader: BaseFileReader) {
    self.reader = reader
    self.properties = properties
    self.timeline = timeline
  }

  /// Finds the slices.
  ///
  /// Paths rule partitions out only where a file shows that they are made of the rows' fields as the table's properties
  /// say: these need not tell how another writer makes them.
  ///
  /// - Parameters:
  ///   - instant: The time of the query, inclusive; nil for now.
  ///   - known: The only partitions in which there can be rows; nil where that is not known.
  /// - Throws: ``FileGroupError``, or ``TimelineError``.
  package func slices(
    for search: RowSearch, asOf instant: Instant? = nil, within known: [String]? = nil
  ) async throws -> FoundSlices {
    guard known == nil, let condition = search.condition else { return try await all(instant, known) }
    let rules = PartitionPruning(condition, properties, search.schema)
    guard rules.isPossible else { return try await all(instant) }
    let paths = rules.paths()
    let view = try await FileSystemView.load(
      from: reader.storage, properties: properties, timeline: timeline, only: paths, where: rules.folders)
    let listed = view.slices(asOf: instant)
    let held = try listed.filter { try rules.mayHold($0.partitionPath) }
    var example = held.first ?? listed.first
    if example == nil {
      example = try await FileSystemView.anySlice(
        from: reader.storage, properties: properties, timeline: timeline, asOf: instant)
    }
    // A table without any file slice has no rows.
    guard let example else { return FoundSlices(slices: [], rules: nil, only: nil) }
    guard try await rules.isTrue(of: example, try await reader.open(example)) else {
      return try await all(instant)
    }
    return FoundSlices(slices: held, rules: rules, only: paths.map { Set($0.map(ExactText.init)) })
  }

  private func all(
    _ instant: Instant?, _ known: [String]? = nil
  ) async throws(TimelineError) -> FoundSlices {
    let view = try await FileSystemView.load(
      from: reader.storage, properties: properties, timeline: timeline, only: known)
    return FoundSlices(
      slices: view.slices(asOf: instant), rules: nil, only: known.map { Set($0.map(ExactText.init)) })
  }
}

/// The slices in which there may be rows that are looked for.
package struct FoundSlices: Sendable {
  /// The slices, by partition and file id.
  package let slices: [FileSlice]
  let rules: PartitionPruning?
  /// The partitions that were listed; nil for all that the rules leave.
  let only: Set<ExactText>?

  /// Whether a partition was looked into, rather than ruled out.
  ///
  /// - Throws: ``FileGroupError``.
  package func covers(_ partition: String) throws(FileGroupError) -> Bool {
    if let only { return only.contains(ExactText(partition)) }
    return try rules?.mayHold(partition) ?? true
  }
}
