import TarnTimeline

/// What a write changes, as another engine's replacement under way is asked about it.
struct WrittenPlaces: Sendable {
  /// File groups that get a new version or go, with their partitions.
  var groups: [(fileID: String, partition: String)] = []
  /// Partitions that get new file groups.
  var partitions: [String] = []

  /// The first of some replacements that is about one of them, and what it is about; nil where none is.
  func conflict(among replacements: [PendingReplacement]) -> (entry: TimelineEntry, what: String)? {
    for replacement in replacements {
      if let group = groups.first(where: { replacement.names($0.fileID, in: $0.partition) }) {
        return (replacement.entry, "file group \(group.fileID) of partition \"\(group.partition)\"")
      }
      if let partition = partitions.first(where: replacement.takes) {
        return (replacement.entry, "partition \"\(partition)\"")
      }
    }
    return nil
  }
}

extension CommitCandidate {
  /// What of the commit a replacement is about; nil where none is.
  func conflict(among replacements: [PendingReplacement]) -> (entry: TimelineEntry, what: String)? {
    guard !replacements.isEmpty else { return nil }
    var places = WrittenPlaces()
    for (partition, files) in metadata.partitions.pairs {
      places.groups += files.map { ($0.fileID, partition) }
      places.partitions.append(partition)
    }
    for (partition, groups) in metadata.replaced?.pairs ?? [] {
      places.groups += groups.map { ($0, partition) }
      places.partitions.append(partition)
    }
    return places.conflict(among: replacements)
  }
}
