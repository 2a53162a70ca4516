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

  /// Whether a slice may take part.
  func takes(_ slice: FileSlice) -> Bool { order != .stored || slice.size < options.smallFileLimit }

  /// The groups of some slices that take part.
  func merges(_ inputs: [FileGroupMerge.Input]) -> [FileGroupMerge] {
    var merges: [FileGroupMerge] = []
    for (partition, inputs) in Dictionary(grouping: inputs, by: { ExactText($0.slice.partitionPath) })
      .sorted(by: { $0.key.text < $1.key.text })
    {
      // The oldest first, so that rows that came together stay together.
      let sorted = inputs.sorted { ($0.slice.instant, $0.slice.fileID) < ($1.slice.instant, $1.slice.fileID) }
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
