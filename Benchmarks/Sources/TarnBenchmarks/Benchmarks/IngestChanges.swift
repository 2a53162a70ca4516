/// 200,000 DynamoDB change records as JSON into a new table.
struct IngestChanges: Benchmark {
  let name = "ingest-changes"
  let summary = "tarn ingest --create of 200,000 change records"
  let dataFile = "changes-1.jsonl"
  let bounds = Bounds(seconds: 6, megabytes: 700)

  func makeData(at path: String) throws { try ChangeRecords(seed: 3, count: 200_000).write(to: path) }

  func arguments(table: String, data: String) -> [String] {
    [
      "ingest", table, "--changes", data, "--create", "--key", "transaction_id", "--partition-by", "exchange",
    ]
  }
}
