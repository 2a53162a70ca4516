import TarnAvro
import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Makes full files of small ones, or files in another order, with the same rows.
struct ClusterWrite: TableWrite {
  /// The order of the rows.
  var order = RowOrder.stored
  /// The partitions, by their paths; nil for all.
  let partitions: [String]?
  /// Where the table lies, as other engines name it; they read whole paths.
  let base: String
  /// The bytes of files after which no more are taken; nil for all.
  var mostBytes: Int?

  var action: Action { .replacecommit }
  var operation: OperationType { .cluster }

  /// What becomes new file groups.
  struct Prepared: PreparedWrite {
    let merges: [FileGroupMerge]
    let planned: PlannedWrite

    /// The rows are those of the same slices.
    func isUnaffected(by newer: Prepared) -> Bool {
      planned.table.present == newer.planned.table.present
        && Set(planned.plan.replaced) == Set(newer.planned.plan.replaced)
    }
  }

  func prepare(on table: PresentTable, after previous: Prepared?) async throws(TableError) -> Prepared {
    let state = table.state
    let writable = try WritableTable(state, table.settings)
    try checkColumns(writable)
    let slices = try await slices(of: table)
    if writable.options.buckets != nil || BucketIndex.isBucketed(fileIDs: slices.lazy.map(\.fileID)) {
      throw TableError(
        .unsupported,
        "table \(writable.properties.name) has a bucket index, which keeps each bucket in one file: it is not clustered"
      )
    }
    // What was planned before stays right for as long as its slices are there, whatever came beside them.
    let present = Set(slices)
    if let previous, previous.planned.plan.replaced.allSatisfy(present.contains) {
      return Prepared(previous.merges, writable, state)
    }
    let planner = ClusterPlanner(options: writable.options, order: order, mostBytes: mostBytes)
    let taken = planner.taken(
      of: slices.filter { slice in
        !state.replacements.contains { $0.names(slice.fileID, in: slice.partitionPath) }
      })
    let inputs = try await tableErrors {
      try await concurrently(taken, width: table.settings.filesAtOnce) { slice in
        FileGroupMerge.Input(
          slice, BaseFileFacts(try await table.reader.open(slice, checking: writable.keys.check)))
      }
    }
    return Prepared(planner.merges(inputs), writable, state)
  }

  private func slices(of table: PresentTable) async throws(TableError) -> [FileSlice] {
    let view = try await tableErrors {
      try await FileSystemView.load(
        from: table.reader.storage, properties: table.state.properties, timeline: table.state.timeline,
        only: partitions)
    }
    try view.requirePartitions(partitions ?? [])
    let slices = view.slices()
    let wanted = partitions.map { Set($0.map { ExactText($0) }) }
    let written = try await tableErrors {
      try await WrittenFiles(
        table.state, table.reader.storage, parallelism: table.settings.filesAtOnce
      ) { wanted?.contains(ExactText($0)) ?? true }
    }
    try written.check(slices)
    return slices
  }

  private func checkColumns(_ table: WritableTable) throws(TableError) {
    for name in order.columns where table.schema[name] == nil {
      throw TableError(
        .mismatch,
        "table \(table.properties.name) has no column \(name), by which its rows are to be sorted: it has "
          + table.schema.names.joined(separator: ", "), column: name)
    }
  }

  func request(_ prepared: Prepared) throws(TableError) -> [UInt8] {
    let groups = prepared.merges.map { merge in
      let size = prepared.planned.table.options.targetFileSize
      return ClusteringPlan.Group(
        merge.inputs.map(\.slice).map {
          .init(path: base + "/" + $0.path, fileID: $0.fileID, partition: $0.partitionPath)
        }, outputs: Int32(clamping: (merge.byteCount + size - 1) / max(size, 1)))
    }
    var parameters: OrderedMap<String> = [:]
    if !order.columns.isEmpty {
      parameters["hoodie.clustering.plan.strategy.sort.columns"] = order.columns.joined(separator: ",")
    }
    let plan = ClusteringPlan(
      groups,
      strategy: "org.apache.hudi.client.clustering.run.strategy.SparkSortAndSizeExecutionStrategy",
      parameters: parameters)
    do throws(AvroError) { return try ReplaceRequest(clustering: plan).bytes() } catch {
      throw TableError(error)
    }
  }

  func write(
    _ prepared: Prepared, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile] {
    let fileIDs = FileIDs(settings.random)
    let count = prepared.merges.reduce(0) { $0 + $1.inputs.count }
    let counter = settings.counting(.cluster, of: count, "files")
    let work = prepared.merges.enumerated().map { entry in
      let merger = FileGroupMerger(files, taskNumber: entry.offset, spillingTo: settings.scratch) {
        counter.advance()
      }
      return (merge: entry.element, merger: merger, fileID: fileIDs.next())
    }
    try await files.markers.add(work.map { $0.merger.marker(of: $0.merge, $0.fileID) })
    let none = try RecordBatch.concatenate([], schema: prepared.planned.table.schema)
    let budget = MemoryBudget(settings.memory - files.reader.footers.byteCount, besides: none)
    let (format, memory) = (files.format, files.memory)
    let written = try await concurrently(
      work, width: settings.filesAtOnce, budget: budget.bytes,
      cost: { MemoryBudget.cost($0.merge, format, memory: memory) }
    ) { try await $0.merger.write($0.merge, $0.fileID) }
    return written.flatMap { $0 }
  }
}

extension ClusterWrite.Prepared {
  fileprivate init(_ merges: [FileGroupMerge], _ table: WritableTable, _ state: TableState) {
    self.merges = merges
    var plan = WritePlan()
    plan.replaced = merges.flatMap(\.inputs).map(\.slice)
    planned = PlannedWrite(table, plan, on: state)
  }
}
