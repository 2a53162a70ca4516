import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

/// A table in memory whose columns a test chooses.
struct SmallTable {
  let table: Table
  let storage: any Storage
  let warnings = Collected()

  init(
    _ schema: Schema, key: [String] = ["id"], partitionedBy partition: [String] = [],
    orderedBy ordering: String? = nil, options: TableOptions = TableOptions(),
    storage: any Storage = InMemoryStorage(), now: (@Sendable () -> Int64)? = nil
  ) async throws {
    self.storage = storage
    var settings = TableFixture.settings(warnings)
    if let now { settings.now = now }
    table = try await Table.create(
      at: .storage(storage, name: "memory/small"), schema: schema, recordKey: key, partitionedBy: partition,
      orderedBy: ordering, options: options, settings: settings)
  }

  /// Opens such a table that is there.
  init(opening storage: any Storage) async throws {
    self.storage = storage
    table = try await Table.open(
      at: .storage(storage, name: "memory/small"), settings: TableFixture.settings(warnings))
  }

  /// All rows in one batch, in the order of their record keys.
  func rows(_ refine: (Snapshot) throws -> Snapshot = { $0 }) async throws -> RecordBatch {
    let snapshot = try refine(try await table.snapshot())
    var batches: [RecordBatch] = []
    for try await batch in snapshot { batches.append(batch) }
    let all = try RecordBatch.concatenate(batches, schema: snapshot.schema)
    guard let keys = all["_hoodie_record_key"] else { return all }
    return try all.gather((0..<Int32(all.count)).sorted { keys.compare(Int($0), to: keys, Int($1)) < 0 })
  }

  /// A text column's values, in the order of the record keys.
  func texts(_ name: String) async throws -> [String] {
    guard let strings = try await rows()[name]?.strings else { return [] }
    return (0..<strings.count).map { strings.string($0) }
  }

  /// What lies in the storage, apart from the lock.
  func contents() async throws -> [String] {
    try await storage.listAll(prefix: "").objects.filter { !$0.path.hasSuffix(".lock") }.map {
      "\($0.path) \($0.size) \($0.tag)"
    }
  }

  /// Adds lines to the table's properties.
  func appendProperties(_ lines: String) async throws {
    let bytes = try await storage.readAll(".hoodie/hoodie.properties")
    try await storage.put(bytes + Array((lines + "\n").utf8), at: ".hoodie/hoodie.properties", if: .always)
  }
}

/// A column of texts, nil for null.
func texts(_ values: String?...) throws -> Column {
  var builder = ColumnBuilder(.string)
  for value in values { if let value { try builder.append(value) } else { builder.appendNulls() } }
  return builder.finish()
}

/// A column of one type, filled by a closure.
func column(_ type: DataType, _ fill: (inout ColumnBuilder) throws -> Void) rethrows -> Column {
  var builder = ColumnBuilder(type)
  try fill(&builder)
  return builder.finish()
}

/// A batch of named columns.
func batch(_ columns: KeyValuePairs<String, Column>) throws -> RecordBatch {
  try RecordBatch(
    schema: Schema(columns.map { Field($0.key, $0.value.type) }), columns: columns.map(\.value))
}

/// A column's values as JSON.
func json(_ column: Column?) -> [String] {
  guard let column else { return [] }
  return (0..<column.count).map { row in
    var out: [UInt8] = []
    column.appendJSON(row, to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}

/// Expects an error of a code whose message names something.
func expectRefusal(
  _ code: TableError.Code, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () async throws -> Void
) async {
  do {
    try await body()
    Issue.record("nothing was refused", sourceLocation: sourceLocation)
  } catch let error as TableError {
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    for word in words {
      #expect(error.message.contains(word), "\(error) lacks \(word)", sourceLocation: sourceLocation)
    }
  } catch let error as ExpressionError {
    // A condition that does not read, before any table is asked.
    #expect(code == .mismatch, "\(error)", sourceLocation: sourceLocation)
    for word in words {
      #expect(error.message.contains(word), "\(error) lacks \(word)", sourceLocation: sourceLocation)
    }
  } catch { Issue.record("\(error)", sourceLocation: sourceLocation) }
}

extension InMemoryStorage {
  /// Another storage with the same files.
  func copied() async throws -> InMemoryStorage {
    let copy = InMemoryStorage()
    for object in try await listAll(prefix: "").objects {
      try await copy.put(try await readAll(object.path), at: object.path, if: .ifAbsent)
    }
    return copy
  }
}
