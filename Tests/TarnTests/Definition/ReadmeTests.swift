// The example of the README, word for word; the tidy tests compare the two.

// README begins
import Tarn

func keepTrades(in folder: String) async throws {
  let money = DataType.decimal(precision: 10, scale: 2)
  let schema = Schema([Field("id", .string), Field("exchange", .string), Field("price", money)])
  let table = try await Table.create(
    at: .local(folder), schema: schema, recordKey: ["id"], partitionedBy: ["exchange"])

  var (id, exchange, price) = (ColumnBuilder(.string), ColumnBuilder(.string), ColumnBuilder(money))
  for (name, place, cents) in [("t1", "Kraken", Int128(10_150)), ("t2", "OKX", 9_900)] {
    try id.append(name)
    try exchange.append(place)
    price.append(cents)
  }
  let batch = try RecordBatch(schema: schema, columns: [id.finish(), exchange.finish(), price.finish()])
  let report = try await table.upsert(batch)
  print("\(report.inserted) new rows in commit \(report.instant, default: "none")")

  for try await rows in try await table.snapshot().select("id").where(.column("price") > 100) {
    for row in 0..<rows.count { print(rows["id"]?.strings?.string(row) ?? "") }
  }
}
// README ends

import TarnTestSupport
import Testing

@Suite("The README's example") struct ReadmeTests {
  @Test("The example runs, and leaves a table with its rows")
  func theExampleRunsAndLeavesItsRows() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      try await keepTrades(in: folder + "/trades")
      let table = try await Table.open(at: .local(folder + "/trades"))
      #expect(try await table.snapshot().count() == 2)
      #expect(try await table.snapshot().where(.column("price") > 100).count() == 1)
    }
  }
}
