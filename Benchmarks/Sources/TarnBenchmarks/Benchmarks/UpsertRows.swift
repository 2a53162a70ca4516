/// 2,000,000 rows of a Parquet file into a new table.
struct UpsertRows: Benchmark {
  let name = "upsert-rows"
  let summary = "tarn upsert --create of 2,000,000 rows from Parquet"
  let dataFile = "rows-1.parquet"
  let bounds = Bounds(seconds: 8, megabytes: 900)

  func makeData(at path: String) async throws {
    try await TradeRows(seed: 3, count: 2_000_000).write(to: path)
  }

  func arguments(table: String, data: String) -> [String] {
    [
      "upsert", table, "--from", data, "--create", "--key", "transaction_id", "--partition-by", "exchange",
      "--order-by", "timestamp",
    ]
  }
}
