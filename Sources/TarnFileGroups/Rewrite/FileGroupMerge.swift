import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// File groups of one partition whose rows go into new ones.
package struct FileGroupMerge: Sendable {
  /// A slice, and what its footer tells.
  package struct Input: Sendable {
    /// The slice.
    package let slice: FileSlice
    /// What its footer tells.
    package let facts: BaseFileFacts

    /// Pairs them.
    package init(_ slice: FileSlice, _ facts: BaseFileFacts) {
      self.slice = slice
      self.facts = facts
    }
  }

  /// The partition.
  package let partitionPath: String
  /// The slices, of one partition at least one.
  package let inputs: [Input]
  /// The order of the rows.
  package let order: RowOrder

  /// Names them.
  package init(_ partitionPath: String, _ inputs: [Input], _ order: RowOrder) {
    self.partitionPath = partitionPath
    self.inputs = inputs
    self.order = order
  }

  /// Their rows.
  package var rowCount: Int { inputs.reduce(0) { $0 + min(max($1.facts.rowCount, 0), 1 << 40) } }
  /// Their bytes.
  package var byteCount: Int { inputs.reduce(0) { $0 + $1.slice.size } }
}

/// Writes new file groups of the rows of others, as they are read: what is held at once does not follow their size.
///
/// While a batch is written, the next is read.
///
/// Rows keep the instants and numbers of the commits that wrote them; only the name of their file is another. What the files
/// remember of deleted keys goes with them.
///
/// Source: format-logs-and-services 5.
package struct FileGroupMerger: Sendable {
  private let files: CommitFiles
  private let taskNumber: Int
  /// Where rows go that are sorted and cannot be held.
  private let scratch: @Sendable () throws -> any Storage
  /// Told of each file whose rows were read.
  private let told: @Sendable () -> Void

  /// Makes a writer.
  ///
  /// - Parameters:
  ///   - taskNumber: The number of this writer within the commit, which makes its names unique.
  ///   - scratch: Makes a storage of this machine's own, where rows go that are sorted and cannot be held.
  ///   - told: Told of each file whose rows were read.
  package init(
    _ files: CommitFiles, taskNumber: Int, spillingTo scratch: @escaping @Sendable () throws -> any Storage,
    telling told: @escaping @Sendable () -> Void
  ) {
    self.files = files
    self.scratch = scratch
    self.taskNumber = taskNumber
    self.told = told
  }

  /// About how many bytes of rows are sorted at once.
  package static func runBytes(memory: Int) -> Int { max(memory / 8, 1 << 20) }

  /// What is to stand on the disk before the first of the new files does.
  package func marker(of merge: FileGroupMerge, _ fileID: String) -> CommitMarkers.Marker {
    NewFileNames(fileID, merge.partitionPath, taskNumber, files.stamp.instant).marker(0)
  }

  /// Writes the new file groups.
  ///
  /// - Parameter fileID: The id of the first of them, whose marker is there already.
  package func write(_ merge: FileGroupMerge, _ fileID: String) async throws -> [WrittenFile] {
    let writer = PartitionWriter(
      files, partitionPath: merge.partitionPath, taskNumber: taskNumber, fileID: fileID,
      targetSize: files.format.sizes.file)
    let (scratch, schema) = (scratch, files.format.fileSchema)
    var runs = SortedRuns(merge.order, holding: Self.runBytes(memory: files.memory)) {
      Spill(try scratch(), as: fileID, schema)
    }
    do {
      var tombstones: [KeyTombstone] = []
      for input in merge.inputs where input.facts.hasTombstones {
        tombstones += try await files.tombstones(of: try await files.reader.open(input.slice))
      }
      writer.tombstones = KeyTombstone.latest(of: tombstones, orderedAs: files.format.ordering)
      let source = MergedRows(merge.inputs.map(\.slice), files, telling: told)
      var current = try await source.next()
      while let rows = current {
        async let following = source.next()
        try await runs.append(rows, writer)
        current = try await following
      }
      try await runs.end(writer)
      return try await writer.finish()
    } catch {
      await runs.abandon()
      await writer.abandon()
      throw error
    }
  }
}

extension MemoryBudget {
  /// What writing new file groups of the rows of others takes at most.
  ///
  /// - Parameter memory: The whole budget, of which a part is for rows that are sorted.
  package static func cost(_ merge: FileGroupMerge, _ format: BaseFileFormat, memory: Int) -> Int {
    cost(
      merging: merge.rowCount, format,
      sorting: merge.order == .stored ? 0 : FileGroupMerger.runBytes(memory: memory))
  }
}

extension CommitFiles {
  /// The tombstones of a file that have not expired.
  func tombstones(of file: ParquetFile) async throws -> [KeyTombstone] {
    guard format.hasKeyIndex, file.hasTombstones else { return [] }
    do throws(KeyIndexError) {
      return
        try await reader.footers.keyIndex(of: file, in: storage)?
        .allTombstones(in: storage, at: file.path, expiry: stamp.tombstoneExpiry) ?? []
    } catch {
      guard case .damaged = error else { throw error }
      reader.warn("\(error): deletions that it remembered are forgotten")
      return []
    }
  }
}
