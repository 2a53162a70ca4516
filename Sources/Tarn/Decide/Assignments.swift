import TarnAvro
import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnIndex
import TarnParquet

/// The values that rows get, each a column of one row.
struct Assignments: Sendable {
  private var values: [(column: Int, field: Field, value: Column)] = []

  /// The most rows whose values are held at once while they are compared, and about how many bytes these take.
  private static let comparedRows = 1 << 17
  private static let comparedBytes = 16 << 20

  /// Checks values against a table; nil where rows are deleted.
  ///
  /// - Throws: ``TableError`` with code `mismatch` for a column that is not there, names or places a row, or cannot
  ///   hold its value.
  init?(_ change: ConditionalChange, _ table: WritableTable) throws(TableError) {
    guard case .set(let literals) = change else { return nil }
    guard !literals.isEmpty else { throw TableError(.mismatch, "an update needs a column to set") }
    for (name, literal) in literals.sorted(by: { $0.key < $1.key }) {
      guard let index = table.schema.index(of: name) else {
        throw TableError(
          .mismatch,
          "there is no column \(name) to set: the table has \(table.schema.names.joined(separator: ", "))",
          column: name)
      }
      guard name != MetaColumns.isDeleted else {
        throw TableError(
          .mismatch,
          "column \(name) says which rows are deleted, and an update cannot set it: delete the rows",
          column: name)
      }
      let isKey = table.keys.generator.keyFields.contains(name)
      guard !isKey, !table.keys.generator.partition.fields.contains(name) else {
        throw TableError(
          .mismatch,
          "\(name) is a \(isKey ? "key" : "partition") column, which an update cannot set: delete the rows, and "
            + "upsert them anew")
      }
      let field = table.schema.fields[index]
      guard let literal else {
        guard field.isNullable else {
          throw TableError(.mismatch, "column \(name) takes no null", column: name)
        }
        values.append((index, field, Column(nulls: 1, of: field.type)))
        continue
      }
      do { values.append((index, field, try literal.stored(in: field))) } catch { throw TableError(error) }
    }
  }

  /// Those of a file's rows that do not have all the values yet.
  ///
  /// - Parameter positions: The rows' positions in the file, ascending.
  func changed(_ positions: [Int], of file: ParquetFile) async throws -> [Int] {
    var changed: [Int] = []
    var rest = positions[...]
    let schema = Schema(values.map(\.field))
    let step = min(Self.comparedRows, StoredRows.step(file, schema, bytes: Self.comparedBytes))
    while !rest.isEmpty {
      let some = Array(rest.prefix(step))
      rest = rest.dropFirst(some.count)
      let stored = try await StoredRows.read(file, at: some, as: schema)
      var isSame = Bitmap(repeating: true, count: some.count)
      for ((_, _, value), column) in zip(values, stored.columns) {
        isSame = isSame.intersection(column.rows(equalTo: value, 0))
      }
      for row in isSame.inverted.setPositions { changed.append(some[Int(row)]) }
    }
    return changed
  }

  /// Gives the values to rows in the table's columns.
  func apply(to rows: inout RecordBatch) throws(ColumnError) {
    for (column, field, value) in values {
      guard case .bytes(let strings) = value.values, !value.isNull(0) else {
        rows.columns[column] = try value.gather([Int32](repeating: 0, count: rows.count))
        continue
      }
      // A text may be long, and is held once.
      let repeated = try DictionaryStrings(
        indices: [UInt32](repeating: 0, count: rows.count), entries: DictionaryStrings.Entries(strings))
      rows.columns[column] = try Column(type: field.type, values: .dictionary(repeated))
    }
  }
}
