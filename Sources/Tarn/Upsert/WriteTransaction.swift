import TarnAvro
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// One write, from a batch to a completed commit; the caller holds the table's lock.
struct WriteTransaction: Sendable {
  let storage: any Storage
  let settings: TableSettings
  let footers: FooterCache
  let lock: any StorageLock
  /// Which names own which columns, to be stored before the commit.
  var owners: ColumnOwners?

  /// Writes a batch.
  func run(
    _ changes: ChangeBatch, operation: OperationType, scope: KeyScope, kind: UpdateKind = .whole
  ) async throws(TableError) -> CommitReport {
    let state = try await openForWriting()
    let changes = try SoftDeletes.taken(
      from: changes, state.requireSchema(), operation, warn: settings.warn)
    let table = try Target(state, changes, operation, settings)
    var prepared = try prepare(changes, table, operation, scope, kind)
    var report = CommitReport()
    report.superseded = prepared.superseded
    let begun = settings.now()
    let plan = try await plan(&prepared, table, operation, kind, &report)
    let planned = settings.now()
    report.lookUpDuration = .microseconds(planned - begun)
    guard !plan.isEmpty else { return report }
    try await storeOwners(state)
    if !plan.burials.isEmpty { try await tidyTombstones(table) }
    try await commit(plan, prepared, table, operation, &report)
    report.writeDuration = .microseconds(settings.now() - planned)
    return report
  }

  /// What a write needs to know of its table.
  struct Target: Sendable {
    let state: TableState
    let generator: RecordKeyGenerator
    let storedKeys: StoredKeys
    let storedKeyCheck: StoredKeyCheck?
    let options: OwnOptions
    let bloom: BloomFilterChoice
    /// The data columns once the batch is written.
    let schema: Schema

    /// - Parameters:
    ///   - changes: What is to be written, whose columns the table gets.
    ///   - given: The schema, where the rows do not decide it.
    init(
      _ state: TableState, _ changes: ChangeBatch, _ operation: OperationType, _ settings: TableSettings,
      schema given: Schema? = nil
    ) throws(TableError) {
      self.state = state
      let properties = state.properties
      options = try OwnOptions(properties)
      bloom = try OwnOptions.bloom(properties)
      var generator = try RecordKeyGenerator(properties)
      generator.hashing = (options.buckets ?? settings.buckets)
        .flatMap { KeyHashing($0, keyFields: properties.recordKeyFields) }
      self.generator = generator
      let present = try state.requireSchema()
      if let nested = present.fields.first(where: \.type.isNested) {
        throw TableError(
          .unsupported,
          "table \(properties.name) has the nested column \(nested.name): Tarn only reads such tables yet"
        )
      }
      let widening = settings.widensColumns ? ColumnWidening(properties) : nil
      let evolved = try BatchAlignment(schema: present).evolved(by: changes.rows, widening)
      // Keys alone do not change a schema.
      schema = given ?? (operation == .delete ? present : evolved)
      storedKeys = try StoredKeys(
        generator, schema, populatesMetaColumns: properties.populatesMetaFields)
      storedKeyCheck = StoredKeyCheck(
        generator, schema, table: properties.name, populatesMetaColumns: properties.populatesMetaFields)
    }

    /// The ordering column; nil where the table has none.
    var ordering: Field? { state.properties.orderingField.flatMap { schema[$0] } }

    /// Whether deletions are remembered, so that older changes that come later are dropped.
    var remembers: Bool { ordering != nil && options.hasKeyIndex && options.tombstoneRetentionHours > 0 }
  }

  /// Reads the table, and puts in order what stands in a writer's way.
  func openForWriting() async throws(TableError) -> TableState {
    var state = try await TableState.load(storage)
    guard state.properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(state.properties.name) is merge-on-read: Tarn does not write such tables yet")
    }
    // Cut short, the file may have lost more than its checksum; Hudi's own writers do not trust it either.
    guard state.properties.hasValidChecksum == true else {
      throw TableError(
        .damaged, "\(TablePaths.properties): it has no hoodie.table.checksum; restore the file before writing"
      )
    }
    if let pending = state.timeline.pending.first(where: { $0.action.completed == .replacecommit }) {
      throw TableError(
        .conflict,
        "\(pending.path): another engine clusters or replaces file groups, or died while it did: let it finish, or "
          + "roll instant \(pending.instant.text) back with that engine, and try again")
    }
    let housekeeping = Housekeeping(storage: storage, settings: settings)
    let removed = try await housekeeping.removeDeadAttempts(state)
    let switched = try await housekeeping.switchOffMetadataTable(state)
    try await housekeeping.removeDeadTemporaries(state.timeline)
    if removed || switched { state = try await TableState.load(storage) }
    return state
  }

  /// Brings changes into the table's schema, and makes their keys.
  func prepare(
    _ changes: ChangeBatch, _ table: Target, _ operation: OperationType, _ scope: KeyScope, _ kind: UpdateKind
  ) throws(TableError) -> PreparedBatch {
    let isPartial = kind.columns == .given
    warnOfLocalTimes(changes.rows.schema, table.schema)
    if let present = table.state.schema,
      let warning = ColumnWidening.warning(from: present, to: table.schema)
    {
      settings.warn(warning)
    }
    var refused = RefusedRows()
    let (aligned, keys) = try table.keyed(changes, scope, kind, warn: settings.warn, &refused)
    let names = Set(changes.rows.schema.names)
    let ordering = table.state.properties.orderingField.flatMap {
      isPartial && !names.contains($0) ? nil : $0
    }
    let given = table.schema.fields.indices.filter { names.contains(table.schema.fields[$0].name) }
    return PreparedBatch(
      aligned, keys: keys, orderedBy: ordering, scope: scope,
      given: isPartial && given.count < table.schema.fields.count ? given : nil,
      keepsAll: operation == .insert)
  }

  /// Says which timestamps without zone the table takes as instants.
  private func warnOfLocalTimes(_ input: Schema, _ table: Schema) {
    let names = input.fields.filter { field in
      guard case .timestamp(_, .local) = field.type, let known = table[field.name] else { return false }
      return known.type != field.type
    }
    guard !names.isEmpty else { return }
    let columns = names.map(\.name).joined(separator: ", ")
    settings.warn(
      "timestamps without zone are taken as UTC: \(names.count == 1 ? "column" : "columns") \(columns)")
  }

  /// Decides what is to be written.
  private func plan(
    _ batch: inout PreparedBatch, _ table: Target, _ operation: OperationType, _ kind: UpdateKind,
    _ report: inout CommitReport
  ) async throws(TableError) -> WritePlan {
    let partitionOf = Dictionary(
      batch.keys.partitions.enumerated().map { (ExactText($0.element), Int32($0.offset)) },
      uniquingKeysWith: { first, _ in first })
    let slices = try await slices(&batch, table, partitionOf)
    let tagger = Tagger(
      storage: storage, footers: footers, keys: table.storedKeys, check: table.storedKeyCheck, batch: batch,
      parallelism: settings.parallelism, warn: settings.warn)
    let entries = slices.map { (slice: $0, partition: partitionOf[ExactText($0.partitionPath)] ?? -1) }
    let tagged = try await operation == .insert ? tagger.open(slices) : tagger.tag(entries)
    let resolver = Resolver(
      storage: storage, batch: batch, takesAll: kind.merge != nil, remembers: table.remembers)
    var resolutions = try await tableErrors {
      try await concurrently(tagged, width: settings.parallelism) {
        try await resolver.resolve($0, partition: partitionOf[ExactText($0.slice.partitionPath)] ?? -1)
      }
    }
    var isFound = Bitmap(count: batch.changes.count)
    noteFound(tagged, batch, &isFound)
    let remembered =
      operation == .insert ? nil : try await remembered(batch, tagged, isFound, partitionOf, table)
    let burials = try burials(batch, isFound, remembered, table)
    var inserts = try self.inserts(batch, isFound, remembered, resolutions, kind, &report)
    let completion = Completion(
      storage: storage, batch: batch, table: table, kind: kind, parallelism: settings.parallelism)
    if completion.isNeeded {
      // Of rows that were to move, a merge function may make deletions.
      let moved = resolutions.reduce(0) { $0 + $1.moved.count }
      defer { report.updated -= moved - resolutions.reduce(0) { $0 + $1.moved.count } }
      batch = try await tableErrors { try await completion.complete(tagged, &resolutions, &inserts) }
    }
    for resolution in resolutions {
      report.updated += resolution.updated.count
      report.deleted += resolution.deleted.count - resolution.moved.count
    }
    report.stale += Set(resolutions.flatMap(\.stale)).count
    report.duplicates = Set(resolutions.flatMap(\.duplicates)).count
    var touched: [WritePlan.Merge] = []
    var others: [TaggedSlice] = []
    for (slice, resolution) in zip(tagged, resolutions) {
      if resolution.isEmpty {
        others.append(slice)
      } else {
        touched.append(WritePlan.Merge(tagged: slice, resolution: resolution))
      }
    }
    let byPath = inserts.map { (path: batch.keys.partitions[Int($0.key)], rows: $0.value) }
    var plan = InsertPacker(options: table.options, buckets: batch.buckets)
      .plan(inserts: byPath, touched: touched, others: others)
    plan.burials = burials
    if let remembered { plan.revived = Set(remembered.rows) }
    return plan
  }

  /// Notes the rows whose keys are stored, and says of one that is stored more than once.
  private func noteFound(_ tagged: [TaggedSlice], _ batch: PreparedBatch, _ isFound: inout Bitmap) {
    var again: Set<Int> = []
    for slice in tagged {
      for match in slice.matches {
        if isFound[match.incoming] { again.insert(match.incoming) }
        isFound[match.incoming] = true
      }
    }
    guard let row = again.min() else { return }
    var count = 0
    var places: Set<String> = []
    for slice in tagged {
      let found = slice.matches.count { $0.incoming == row }
      if found > 0 { places.insert(slice.slice.partitionPath.debugDescription) }
      count += found
    }
    let others = again.count == 1 ? "" : ", and so are \(again.count - 1) more of this batch"
    settings.warn(
      "key \(batch.keys.keys.string(row).prefix(60).debugDescription) is stored \(count) times, in "
        + "\(places.count == 1 ? "partition" : "partitions") \(places.sorted().joined(separator: ", "))\(others): "
        + "an insert or another writer put it there; delete the key and upsert the row to have it once")
  }

  /// The latest slices of the partitions that matter; where there are buckets, of those of the rows.
  private func slices(
    _ batch: inout PreparedBatch, _ table: Target, _ partitionOf: [ExactText: Int32]
  ) async throws(TableError) -> [FileSlice] {
    let only = batch.scope == .table ? nil : batch.keys.partitions
    let slices = try await tableErrors {
      try await FileSystemView.load(
        from: storage, properties: table.state.properties, timeline: table.state.timeline,
        only: only
      ).slices()
    }
    let wanted = batch.scope == .table ? nil : Set(batch.keys.partitions.map { ExactText($0) })
    let written = try await writtenFiles(table)
    try written.check(slices) { wanted?.contains(ExactText($0)) ?? true }
    guard let buckets = try await bucketIndex(of: slices, isWhole: only == nil, written, table) else {
      return slices
    }
    batch.buckets = RowBuckets(buckets, batch.keys.keys)
    let places = Set(batch.winners.map(batch.place))
    return slices.filter { slice in
      places.contains(batch.place(of: slice, partitionOf[ExactText(slice.partitionPath)] ?? -1))
    }
  }

  func writtenFiles(_ table: Target) async throws(TableError) -> WrittenFiles {
    try await WrittenFiles(storage, table.state.timeline, parallelism: settings.parallelism)
  }

  /// The rows to insert by their partition's position among the keys, and the report's counts of them.
  private func inserts(
    _ batch: PreparedBatch, _ isFound: Bitmap, _ remembered: RememberedDeletions?,
    _ resolutions: [FileResolution], _ kind: UpdateKind, _ report: inout CommitReport
  ) throws(TableError) -> [Int32: [Int32]] {
    var isSettled = Bitmap(count: batch.changes.count)
    var isMoved = Bitmap(count: batch.changes.count)
    for resolution in resolutions {
      for row in resolution.stale + resolution.duplicates { isSettled[row] = true }
      for match in resolution.updated { isSettled[match.incoming] = true }
      for match in resolution.moved { isMoved[match.incoming] = true }
    }
    var inserts: [Int32: [Int32]] = [:]
    for row in batch.winners {
      let index = Int(row)
      if batch.changes.isDelete[index] {
        if !isFound[index] { report.notFound += 1 }
        continue
      }
      if isFound[index], isSettled[index] || !isMoved[index] { continue }
      if !isFound[index] {
        guard kind.insertsNew else {
          report.notFound += 1
          continue
        }
        if remembered?.covers(row, in: batch) == true {
          report.stale += 1
          continue
        }
        try batch.requireWhole(index)
      }
      if isMoved[index] { report.updated += 1 } else { report.inserted += 1 }
      inserts[batch.keys.partitionOf[index], default: []].append(row)
    }
    return inserts
  }
}

extension WriteTransaction.Target {
  /// The changes in the table's schema, and their keys and partitions; what stands for refused rows means nothing.
  func keyed(
    _ changes: ChangeBatch, _ scope: KeyScope, _ kind: UpdateKind, warn: (String) -> Void,
    _ refused: inout RefusedRows
  ) throws(TableError) -> (changes: ChangeBatch, keys: RecordKeyGenerator.Keys) {
    let isPartial = kind.columns == .given
    var rows = try BatchAlignment.align(
      changes.rows, to: schema, deletes: changes.isDelete, requiresAll: !isPartial, &refused)
    // Keys are compared as they are, and share the memory of the columns that they are.
    for name in generator.keyFields {
      guard let index = rows.schema.index(of: name) else { continue }
      do { rows.columns[index] = try rows.columns[index].plain() } catch { throw TableError(error) }
    }
    let aligned: ChangeBatch
    do { aligned = try ChangeBatch(rows: rows, isDelete: changes.isDelete) } catch { throw TableError(error) }
    // Rows that do not say where they are, as deletions may, are looked for everywhere.
    let isPlaced = generator.partition.fields.allSatisfy { changes.rows.schema.index(of: $0) != nil }
    let keyed = isPartial && !isPlaced ? aligned.asDeletions : aligned
    let keys = try generator.keys(
      of: keyed, needsPartition: scope == .partition, warn: warn, &refused)
    try BatchAlignment.refuseText(aligned, orderedBy: state.properties.orderingField, &refused)
    return (aligned, keys)
  }
}
