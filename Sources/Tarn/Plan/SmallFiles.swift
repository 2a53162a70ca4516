import TarnBytes
import TarnFileGroups
import TarnTimeline

/// Finds the partitions in which a write leaves more small files than there may be.
struct SmallFiles {
  let options: TarnOptions

  /// The partitions into which files were written that have too many small ones now.
  ///
  /// - Parameters:
  ///   - files: The files that were written.
  ///   - others: The latest slices that these partitions had before; nil where these are not known, or are not to be packed.
  func crowded(by files: [WrittenFile], besides others: [FileSlice]?) -> [String] {
    guard let most = options.mostSmallFiles, let others, options.buckets == nil else { return [] }
    var sizes: [ExactText: [String: Int]] = [:]
    for file in files {
      let partition = ExactText(file.statistics.partitionPath ?? "")
      sizes[partition, default: [:]][file.statistics.fileID] = Int(clamping: file.statistics.fileSize)
    }
    for slice in others {
      let partition = ExactText(slice.partitionPath)
      guard sizes[partition] != nil, sizes[partition]?[slice.fileID] == nil else { continue }
      sizes[partition]?[slice.fileID] = slice.size
    }
    let crowded = sizes.filter { $0.value.values.count { $0 < options.fullFileSize } > most }
    return crowded.keys.map(\.text).sorted()
  }
}
