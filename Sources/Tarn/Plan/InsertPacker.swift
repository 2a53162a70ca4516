import TarnBytes
import TarnFileGroups
import TarnTimeline

/// Puts inserts into small files first, then into new ones.
///
/// Source: format-tables 8.4 (Hudi's `UpsertPartitioner`).
struct InsertPacker {
  let options: TarnOptions

  /// Distributes the inserts of each partition over its file groups and new ones.
  ///
  /// - Parameters:
  ///   - inserts: Rows of the batch by partition path.
  ///   - updates: File groups whose stored rows change anyway.
  ///   - others: The other file groups of these partitions.
  func plan(
    _ inserts: [(path: String, rows: [Int32])], updates: [FileGroupUpdate], others: [FileGroupUpdate]
  ) -> WritePlan {
    var plan = WritePlan(updates: updates)
    let changing = Dictionary(grouping: updates.indices) { ExactText(updates[$0].slice.partitionPath) }
    let rests = Dictionary(grouping: others) { ExactText($0.slice.partitionPath) }
    for (partition, rows) in inserts {
      var rest = rows[...]
      // A file that is written anyway takes inserts before one that is not.
      for index in changing[ExactText(partition)] ?? [] {
        let capacity = capacity(of: plan.updates[index])
        plan.updates[index].inserts = Array(rest.prefix(capacity))
        rest = rest.dropFirst(capacity)
      }
      for other in rests[ExactText(partition)] ?? [] where !rest.isEmpty {
        let capacity = capacity(of: other)
        guard capacity > 0 else { continue }
        var update = other
        update.inserts = Array(rest.prefix(capacity))
        plan.updates.append(update)
        rest = rest.dropFirst(capacity)
      }
      if !rest.isEmpty {
        plan.creations.append(FileGroupCreation(partitionPath: partition, inserts: Array(rest)))
      }
    }
    return plan
  }

  /// How many rows still fit into a small file, by the size of those it has.
  private func capacity(of update: FileGroupUpdate) -> Int {
    let size = update.slice.size
    let facts = update.facts
    guard size < options.smallFileLimit, facts.isRewritable else { return 0 }
    guard facts.rowCount > 0 else { return max(options.targetFileSize - size, 0) / 1_024 }
    // A fixed share of a file (footer, Bloom filter) does not grow with its rows.
    let perRow = max(facts.encodedBytes / facts.rowCount, 16)
    return max(options.targetFileSize - size, 0) / perRow
  }
}
