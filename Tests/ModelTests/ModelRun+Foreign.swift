import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline

/// What other engines are asked about a table on the disk, and what Spark writes into it.
extension ModelRun {
  /// Conditions in Spark's SQL with what they mean, on columns whose pages refer to dictionaries and on others.
  private static let conditions: [(sql: String, holds: @Sendable (StoredRow) -> Bool)] = [
    ("value = 1 and part = 'a'", { $0.row.value == 1 && $0.row.part == "a" }),
    ("key >= 'k2' and `order` > 1", { $0.row.key >= "k2" && $0.row.order.map { $0 > 1 } ?? false }),
  ]

  /// Copies all objects of the table to a folder of the disk, for engines to read.
  func copyObjects(to folder: String) async throws {
    let copy = LocalStorage(root: folder, synchronizes: false)
    for object in try await storage.listAll(prefix: "").objects {
      try await copy.put(try await storage.readAll(object.path), at: object.path, if: .always)
    }
  }

  /// The newest rows for engines to read, compared with Tarn's own answer first.
  ///
  /// Spark takes a partition's values from its folder, which is the same for null and the empty text.
  func expected(in path: String, bySpark: Bool = false) async throws -> ExpectedTable {
    let rows = try await comparedRows().map { stored in
      var stored = stored
      if bySpark, stored.row.part == "" { stored.row.part = nil }
      return stored
    }
    let snapshot = try await table.snapshot()
    let extras = Self.extras(of: snapshot)
    var table = ExpectedTable(
      path: path, files: try await snapshot.slices.map(\.path),
      columns: shape.metaNames + ModelBatch.schema(extraCount: extras).names)
    try table.expect(try lines(rows, extras))
    guard bySpark else { return table }
    for condition in Self.conditions {
      try table.expect(try lines(rows.filter(condition.holds), extras), where: condition.sql)
    }
    return table
  }

  private func lines(_ rows: [StoredRow], _ extras: Int) throws -> [String] {
    var batch = ModelBatch()
    batch.extraCount = extras
    for row in rows { batch.append(row.row) }
    var columns = try batch.columns()
    columns.schema.fields = shape.metaNames.map { Field($0, .string) } + columns.schema.fields
    let meta = [rows.map(\.instant.text), rows.map(\.row.key), rows.map(\.row.path)]
    columns.columns =
      try zip(shape.metaNames, meta).map { try ModelBatch.strings($0.1) } + columns.columns
    return WideRows.lines([columns])
  }

  private static func extras(of snapshot: Snapshot) -> Int {
    snapshot.schema.names.count { $0.hasPrefix("extra") }
  }

  /// Makes up rows for Spark to upsert: keys that are stored, also in the past, and others.
  mutating func sparkRows() async throws -> ModelBatch {
    var batch = ModelBatch()
    batch.extraCount = Self.extras(of: try await table.snapshot())
    let stored = model.rows.values.sorted()
    var taken: Set<Model.Slot> = []
    for number in 0..<4 + input.random.below(20) {
      var row = input.row(key: "k\(number)")
      if !stored.isEmpty, input.random.oneIn(2) {
        let old = stored[input.random.below(stored.count)].row
        (row.key, row.part) = (old.key, old.part)
      } else if shape.scope == .table || input.random.oneIn(3) {
        // Spark knows a key within its partition alone.
        row.key = "spark\(number)"
      }
      row.order = row.order ?? 1
      row.extras = (0..<ModelRow.extraLimit).map {
        $0 < batch.extraCount && input.random.oneIn(2) ? "x1" : nil
      }
      if taken.insert(model.slot(row)).inserted { batch.append(row) }
    }
    return batch
  }

  /// How Spark upserts such rows.
  func sparkWrite(_ batch: ModelBatch, into path: String) throws -> Spark.Write {
    var options = [
      "hoodie.table.name": table.properties.name, "hoodie.datasource.write.operation": "upsert",
      "hoodie.datasource.write.recordkey.field": "key",
      "hoodie.datasource.write.partitionpath.field": "part",
      "hoodie.datasource.write.hive_style_partitioning": "true",
      "hoodie.datasource.write.partitionpath.urlencode": "true",
      // Bloom filters take Spark longer than reading the keys.
      "hoodie.index.type": seed % 4 == 0 && shape.options.populatesMetaColumns ? "BLOOM" : "SIMPLE",
      "hoodie.populate.meta.fields": "\(shape.options.populatesMetaColumns)",
      "hoodie.write.markers.type": "DIRECT", "hoodie.clean.automatic": "false",
      "hoodie.archive.automatic": "false",
    ]
    if shape.isOrdered {
      options["hoodie.datasource.write.precombine.field"] = "order"
    } else {
      options["hoodie.combine.before.upsert"] = "false"
    }
    let names = [
      "bloom.index", "simple.index", "file.listing", "finalize.write", "markers.delete", "upsert.shuffle",
    ]
    for name in names { options["hoodie.\(name).parallelism"] = "1" }
    let types = ["key string", "`order` bigint", "part string", "value bigint"]
    let schema = types + (0..<batch.extraCount).map { "extra\($0) string" }
    return try Spark.Write(
      path, WideRows.lines([try batch.columns()]), schema: schema.joined(separator: ", "), options: options)
  }

  /// Takes notice of what Spark upserted; the orderings of later rows come after all deletions, which the files that
  /// Spark wrote anew know no more.
  mutating func sparkUpserted(_ batch: ModelBatch) async throws {
    guard let instant = try await table.timeline().lastInstant else { return }
    model.applyAsSpark(batch, at: instant)
    input.leastOrder = 10
    try await comparedRows()
  }
}
