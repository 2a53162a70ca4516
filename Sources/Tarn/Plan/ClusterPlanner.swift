import TarnBytes
import TarnFileGroups
import TarnTimeline

/// Plans which file groups of each partition become new ones together.
///
/// Without an order, files below the limit of small ones are made into full ones, where there are two at least. With one,
/// all files of a partition are written anew, so that its rows are in that order.
struct ClusterPlanner {
  let options: TarnOptions
  let order: RowOrder
  /// The bytes of files after which no more are taken; nil for all.
  var mostBytes: Int?

  /// The slices that take part, of those that may.
  func taken(of slices: [FileSlice]) -> [FileSlice] {
    let small = order == .stored ? slices.filter { $0.size < options.fullFileSize } : slices
    guard let mostBytes else { return small }
    var bytes = 0
    return Array(
      small.sorted { Self.place($0) < Self.place($1) }.prefix { slice in
        defer { bytes += slice.size }
        return bytes < mostBytes
      })
  }

  /// The oldest of a partition come first, so that rows that came together stay together.
  private static func place(_ slice: FileSlice) -> (String, Instant, String) {
    (slice.partitionPath, slice.instant, slice.fileID)
  }

  /// The groups of some slices that take part.
  func merges(_ inputs: [FileGroupMerge.Input]) -> [FileGroupMerge] {
    var merges: [FileGroupMerge] = []
    for (partition, inputs) in Dictionary(grouping: inputs, by: { ExactText($0.slice.partitionPath) })
      .sorted(by: { $0.key.text < $1.key.text })
    {
      let sorted = inputs.sorted { Self.place($0.slice) < Self.place($1.slice) }
      guard order == .stored else {
        merges.append(FileGroupMerge(partition.text, sorted, order))
        continue
      }
      var group: [FileGroupMerge.Input] = []
      var size = 0
      for input in sorted {
        group.append(input)
        size += input.slice.size
        guard size >= options.targetFileSize else { continue }
        merges.append(FileGroupMerge(partition.text, group, order))
        (group, size) = ([], 0)
      }
      merges.append(FileGroupMerge(partition.text, group, order))
    }
    return merges.filter { $0.inputs.count > (order == .stored ? 1 : 0) }
  }
}
