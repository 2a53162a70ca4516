import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// What is to be written: file groups that change, and rows for new ones.
struct WritePlan: Sendable {
  /// File groups that get a new base file.
  var updates: [FileGroupUpdate] = []
  /// Rows for new file groups.
  var creations: [FileGroupCreation] = []
  /// The slices of file groups that go, whole.
  var replaced: [FileSlice] = []
  /// Deletions that no file group is known to keep.
  var tombstones = NewTombstones()

  /// Whether nothing is to be written.
  var isEmpty: Bool { updates.isEmpty && creations.isEmpty && replaced.isEmpty && tombstones.isEmpty }
}

/// Plans which file group takes what.
struct WritePlanner: Sendable {
  let options: TarnOptions
  /// What other engines cluster or replace: rows that are new go elsewhere.
  var replacements: [PendingReplacement] = []

  /// The plan for the changes of a batch.
  ///
  /// - Parameter files: The slices that were looked through, in the order of the changes.
  func plan(_ changes: RowChanges, _ files: [FileMatches]) -> WritePlan {
    var updates: [FileGroupUpdate] = []
    var others: [FileGroupUpdate] = []
    for (file, rows) in zip(files, changes.files) {
      let update = FileGroupUpdate(
        file.slice, file.facts, isIndexDamaged: file.isIndexDamaged, .rows(rows))
      if !rows.isEmpty {
        updates.append(update)
      } else if changes.buckets != nil || !isReplaced(file.slice) {
        // The rows of a bucket can go nowhere else.
        others.append(update)
      }
    }
    var plan: WritePlan
    if let buckets = changes.buckets {
      plan = BucketPacker(buckets: buckets).plan(changes.inserts, updates: updates, others: others)
    } else {
      plan = InsertPacker(options: options).plan(changes.inserts, updates: updates, others: others)
    }
    plan.tombstones = changes.tombstones
    if !changes.revived.isEmpty {
      let keys = changes.rows.keys
      for index in plan.updates.indices {
        plan.updates[index].revivedKeys = plan.updates[index].inserts.filter(changes.revived.contains)
          .map { keys[Int($0)].copied() }
      }
    }
    return plan
  }

  private func isReplaced(_ slice: FileSlice) -> Bool {
    replacements.contains { $0.names(slice.fileID, in: slice.partitionPath) }
  }

  /// The plan for rows that go into new file groups alone.
  ///
  /// - Parameters:
  ///   - inserts: Rows by partition path.
  ///   - buckets: The bucket of each row; nil in a table without a bucket index.
  ///   - replaced: The slices of file groups that go.
  func plan(
    _ inserts: [(path: String, rows: [Int32])], buckets: [Int32]?, replacing replaced: [FileSlice]
  ) -> WritePlan {
    var plan =
      if let buckets {
        BucketPacker(buckets: buckets).plan(inserts, updates: [], others: [])
      } else {
        InsertPacker(options: options).plan(inserts, updates: [], others: [])
      }
    plan.replaced = replaced
    return plan
  }

  /// The plan for what a condition does to files.
  func plan(_ files: [ChosenFile]) -> WritePlan {
    WritePlan(
      updates: files.filter { $0.rows.count > 0 }.map {
        FileGroupUpdate($0.slice, $0.facts, .condition($0.rows))
      })
  }
}
