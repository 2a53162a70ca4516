import TarnColumns

func use() throws -> RecordBatch {
  var names = ColumnBuilder(.string)
  try names.append("a")
  let schema = Schema([Field("name", .string)])
  return try RecordBatch(schema: schema, columns: [names.finish()])
}
