import Tarn
import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import TarnTimeline

/// `tarn delete`.
enum DeleteCommand {
  static let command = Command(
    name: "delete",
    summary: "Deletes the rows of keys, those for which a condition is true, or whole partitions.",
    options: [
      Options.deleteKey, Options.keysFrom, Options.condition, Options.partition, Options.isDryRun,
      Options.buckets, Options.bucketField,
      Options.cutNanoseconds, Options.memory, Options.retries, Options.noServices, Options.lock,
      Options.transaction,
      Options.noSync,
    ],
    notes: [
      "One of --key, --keys-from, --where and --partition is needed. A partition goes with all of its files, which are read as "
        + "of earlier commits until a clean removes them; --dry-run prints them, and does nothing. Keys are deleted in whatever partition they are. A key is the value of the key column. Where several columns make "
        + "the key, it is a JSON object, such as {\"a\":1,\"b\":\"x\"}, which may also give the partition columns, "
        + "to look only there, and the ordering column, so as to spare newer rows. A file has a key a line."
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    let ways = [
      arguments.has(Options.deleteKey), arguments.has(Options.keysFrom), arguments.has(Options.condition),
      arguments.has(Options.partition),
    ]
    guard ways.count(where: { $0 }) == 1 else {
      throw UsageError("give one of --key VALUE, --keys-from FILE, --where EXPR and --partition PATH")
    }
    let isPlan = arguments.has(Options.isDryRun)
    guard !isPlan || arguments.has(Options.partition) else {
      throw UsageError("--dry-run needs --partition PATH")
    }
    let table = try await access.open()
    let partitions = arguments.all(Options.partition)
    if !partitions.isEmpty {
      let report = try await access.located {
        try await table.deletePartitions(partitions, isPlan: isPlan)
      }
      try report.tell("deleted partitions of", table, isPlan: isPlan)
      return
    }
    if let condition = arguments[Options.condition] {
      let report = try await access.located { try await table.delete(where: condition) }
      StandardError.write(line: report.line("deleted from", table))
      return
    }
    let schema = try await access.located { try await table.schema() }
    var builder = try KeyBuilder(schema, table.properties)
    if let file = arguments[Options.keysFrom] {
      let source = try InputSource.file(file)
      let bytes = try await source.located { try await source.storage.readAll(source.name, limit: 1 << 30) }
      try builder.append(lines: bytes, file)
    } else {
      for (index, key) in arguments.all(Options.deleteKey).enumerated() {
        try builder.append(Array(key.utf8), "--key", index + 1)
      }
    }
    let keys = try builder.finish()
    let report = try await access.located { try await table.delete(keys) }
    StandardError.write(line: report.line("deleted from", table))
  }
}

/// Makes a batch of keys from their texts.
private struct KeyBuilder {
  private let keys: [Field]
  private var builder: RowBatchBuilder

  init(_ schema: Schema, _ properties: TableProperties) throws {
    keys = properties.recordKeyFields.compactMap { schema[$0] }
    guard !keys.isEmpty, keys.count == properties.recordKeyFields.count else {
      throw CommandError("table \(properties.name) has no key columns, by which rows could be deleted")
    }
    var names = properties.recordKeyFields
    for name in properties.partitionFields + (properties.orderingField.map { [$0] } ?? [])
      + properties.tieBreakers
    where !names.contains(name) {
      names.append(name)
    }
    let fields = names.compactMap { schema[$0] }.map { Field($0.name, $0.type) }
    builder = try RowBatchBuilder(
      schema: Schema(fields), keyFields: properties.recordKeyFields, owners: try properties.columnOwners(),
      placing: fields.map(\.name))
  }

  mutating func append(lines bytes: [UInt8], _ file: String) throws {
    for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let key = line.last == 0x0d ? line.dropLast() : line
      if !key.isEmpty { try append(Array(key), file, index + 1) }
    }
  }

  /// Adds a key: a JSON object, or the bare value of a single key column.
  mutating func append(_ text: [UInt8], _ place: String, _ line: Int) throws {
    let isObject = text.first { $0 != 0x20 && $0 != 0x09 } == 0x7b
    guard isObject || keys.count == 1 else {
      let names = keys.map(\.name).joined(separator: ", ")
      throw CommandError("\(place), line \(line): a JSON object with the key columns \(names) is expected")
    }
    let object = isObject ? text : Self.object(keys[0], text)
    var scanner = JSONScanner(object.span.bytes)
    do {
      try builder.take(&scanner)
    } catch {
      throw CommandError("\(place), line \(line): \(error)")
    }
    guard scanner.isAtEnd() else {
      throw CommandError("\(place), line \(line): more text stands behind the JSON object")
    }
  }

  private static func object(_ field: Field, _ text: [UInt8]) -> [UInt8] {
    var object: [UInt8] = [0x7b]
    object.appendJSON(string: field.name)
    object.append(0x3a)
    let isBare = field.type == .boolean && (text == Array("true".utf8) || text == Array("false".utf8))
    if isBare { object += text } else { object.appendJSON(string: text.span.bytes) }
    object.append(0x7d)
    return object
  }

  mutating func finish() throws -> RecordBatch {
    let columns = builder.found.zonelessColumns
    if !columns.isEmpty {
      StandardError.note("\(columns.joined(separator: ", ")): times without zone are taken as UTC")
    }
    return try builder.finish()
  }
}
