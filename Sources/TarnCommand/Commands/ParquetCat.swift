import Tarn
import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnParquet

/// `tarn parquet cat`.
enum ParquetCatCommand {
  static let command = Command(
    name: "parquet cat", summary: "Writes a Parquet file's rows to standard output.",
    operands: [.parquetFile],
    options: [
      Options.select, Options.condition, Options.limit, Options.textFormat, Options.cutNanoseconds,
    ],
    notes: [
      "COLUMN may be a field within a structure, as in address.city; elements of lists and values of maps are "
        + "stepped over, so that legs.price is the price of each leg. Only what is asked for is read.",
      "Columns that cannot be read are left out, and that is told. EXPR knows columns, = != < <= > >=, "
        + "is [not] null, in (..), and, or, not and parentheses.",
    ]
  ) { arguments in
    try await ParquetAccess.open(arguments) { file, path in
      do {
        try await write(
          arguments.has(Options.cutNanoseconds) ? file.cuttingNanoseconds() : file, path, arguments)
      } catch let error as ParquetError where error.code != .storage && error.path == file.path {
        let others = others(than: error, in: file, arguments[Options.select])
        guard !others.isEmpty else { throw error }
        throw CommandError(
          path + error.description.dropFirst(error.path.count)
            + "; to leave the column out: --select \(others.joined(separator: ","))")
      }
    }
  }

  /// The columns that are asked for, without the one in which something could not be read.
  private static func others(than error: ParquetError, in file: ParquetFile, _ selected: [String]?)
    -> [String]
  {
    guard let column = error.column else { return [] }
    return (selected ?? file.schema.names).filter { name in
      name != column && !column.hasPrefix(name + ".") && !name.hasPrefix(column + ".")
    }
  }

  private static func write(_ file: ParquetFile, _ path: String, _ arguments: Arguments) async throws {
    let condition = arguments[Options.condition]
    let (file, selected) = try projection(
      of: file, arguments[Options.select], condition?.columns.sorted() ?? [])
    if arguments[Options.select] == nil {
      for (name, reason) in file.unreadable.sorted(by: { $0.key < $1.key }) {
        StandardError.note("\(path): column \(name) is left out: \(reason)")
      }
    }
    let needed = try (condition?.columns.sorted() ?? []).map { try file.columnIndex($0) }
    let columns = selected + needed.filter { !selected.contains($0) }
    let schema = Schema(selected.map { file.schema.fields[$0] })
    if let condition { try checked(path) { try condition.check(against: file.schema) } }

    let format = arguments[Options.textFormat] ?? .standard
    var output = try format.output(schema)
    var left = arguments[Options.limit] ?? Int.max
    if left > 0 {
      var selections: [RowSelection] = []
      for group in 0..<file.rowGroupCount {
        if let condition {
          // Row groups and pages in which the condition cannot be true are passed over.
          selections +=
            try await condition.selection(file, group: group, schema: file.schema).map { [$0] } ?? []
        } else {
          selections.append(RowSelection(group: group))
        }
      }
      let batches = file.batches(
        columns: columns, rowsPerBatch: condition == nil ? min(16_384, left) : 16_384, selecting: selections)
      for try await var batch in batches {
        if let condition {
          let rows = try checked(path) { try condition.rows(of: batch) }
          if rows.count < batch.count { batch = try batch.gather(rows) }
        }
        if batch.count > left { batch = batch.slice(0..<left) }
        left -= batch.count
        try await output.append(
          try RecordBatch(
            schema: schema, columns: Array(batch.columns.prefix(selected.count)), count: batch.count))
        if left == 0 { break }
      }
    }
    try await output.finish()
  }

  /// The file with no more than the fields that are selected and the columns that a condition needs, and the
  /// selected columns in it, in the order in which they are first named.
  private static func projection(
    of file: ParquetFile, _ names: [String]?, _ needed: [String]
  ) throws -> (ParquetFile, [Int]) {
    guard let names else { return (file, Array(file.schema.fields.indices)) }
    /// The column that is named, or in which the named field lies.
    func column(_ name: String, in file: ParquetFile) -> String? {
      file.schema.names.first { name == $0 } ?? file.schema.names.first { name.hasPrefix($0 + ".") }
    }
    let selected = names.compactMap { column($0, in: file) }
    let narrow = try file.selecting(names + needed.filter { !selected.contains($0) })
    var order: [Int] = []
    for name in selected {
      let index = try narrow.columnIndex(name)
      if !order.contains(index) { order.append(index) }
    }
    return (narrow, order)
  }

  /// Runs a body that evaluates the condition, and gives its errors the path.
  private static func checked<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ExpressionError {
      throw CommandError("\(path): \(error.message)")
    }
  }
}
