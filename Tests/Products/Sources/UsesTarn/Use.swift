import Tarn

// What the examples take for given; nothing here is run.
func given<Value>() -> Value { preconditionFailure("nothing here is run") }
let table: Table = given()
let schema: Schema = given()
let batch: RecordBatch = given()

/// What most users need, by this one import.
func use(_ table: Table) async throws(TableError) -> Schema {
  let snapshot: Snapshot = try await table.snapshot().where(.column("price") > 100).limit(10)
  var settings = TableSettings()
  settings.memory = 64 << 20
  var options = TableOptions()
  options.tarn.pageRows = 2_048
  let report: CommitReport = try await table.delete(where: .column("id") == "42")
  return report.deleted > 0 ? snapshot.schema : try await table.schema()
}
