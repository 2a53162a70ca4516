import TarnCDC

/// `tarn changes convert`.
enum ChangesConvertCommand {
  static let command = Command(
    name: "changes convert", summary: "Writes change records of any shape in one form to standard output.",
    operands: [.changeRecords],
    options: [
      Options.changesFormat, Options.shape, Options.dynamoDBTable, Options.onError,
    ],
    notes: [
      "Records are all that tarn ingest takes. They come out as those of Kinesis Data Streams for DynamoDB, which are read "
        + "again to the same records: a line each, or rows of Parquet with keys and images as DynamoDB JSON. Plain JSON, "
        + "such as Debezium's, becomes attributes of DynamoDB.",
      "Memory does not grow with the input. With --on-error fail, what was written before the record that cannot be taken "
        + "has been written.",
    ]
  ) { arguments in
    var input = try await ChangesInput(arguments)
    let otherTables =
      switch arguments[Options.changesFormat] ?? .jsonl {
      case .parquet: try await writeParquet(arguments, &input)
      default: try await writeLines(arguments, &input)
      }
    input.sayLeftOut(otherTables: otherTables)
  }

  private static func writeLines(_ arguments: Arguments, _ input: inout ChangesInput) async throws -> Int {
    var records = ChangeNormalizer(
      table: arguments[Options.dynamoDBTable], shape: arguments[Options.shape])
    try await input.read(into: &records) { try StandardOutput.write($0.takeLines()) }
    return records.otherTables
  }

  private static func writeParquet(_ arguments: Arguments, _ input: inout ChangesInput) async throws -> Int {
    var output = try OutputFormat.parquet.output(NormalRows.schema)
    var records = NormalRows(table: arguments[Options.dynamoDBTable], shape: arguments[Options.shape])
    try await input.read(into: &records) { try await output.append(try $0.takeRows()) }
    try await output.finish()
    return records.otherTables
  }
}
