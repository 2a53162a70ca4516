import DynamoDBJSON
import TarnBytes
import TarnCDC
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

/// Makes items whose attributes of one name are of one type, with odd names, texts and numbers.
private struct ItemMaker {
  var random: SeededGenerator
  /// What each name's values are.
  private let kinds: [(name: String, kind: Int)]

  init(seed: Int) {
    random = SeededGenerator(seed: UInt64(seed))
    let names = ["a", "A", "a-b", "a.b", "é", "_event_id", "9", "n", "x y", "😀", "list", "map", "set"]
    var kinds: [(name: String, kind: Int)] = []
    for name in names { kinds.append((name, random.below(13))) }
    self.kinds = kinds
  }

  mutating func item(_ id: Int) -> Item {
    var item: Item = ["id": .string("\(id)")]
    for (name, kind) in kinds where !random.oneIn(4) { item[name] = value(kind, depth: 0) }
    return item
  }

  private mutating func value(_ kind: Int, depth: Int) -> AttributeValue {
    switch kind {
    case 0: .string(text())
    case 1: .number(DynamoDBNumber(Int64(truncatingIfNeeded: random.next()) >> random.below(63)))
    case 2: .number(number(exponent: -18 + random.below(18), digits: 20))
    case 3: .number(number(exponent: -100 + random.below(200), digits: 38))
    case 4: .binary(bytes())
    case 5: .boolean(random.oneIn(2))
    case 6: .stringSet(Array(Set((0...random.below(4)).map { "\($0)" + text() })))
    case 7: .numberSet((0...random.below(4)).map { number(exponent: $0 * 40 - 80, digits: 30) })
    case 8: .binarySet((0...random.below(4)).map { [UInt8($0)] + bytes() })
    case 9: .list((0..<random.below(5)).map { _ in within(depth: depth + 1) })
    case 10: .map(map(depth: depth + 1))
    case 11: within(isNull: false, depth: 0)
    default: .string("{\"not\":[\"a map\"]}")
    }
  }

  /// A value within a map or list, whose JSON has a form of its own for it: sets and bytes have none.
  private mutating func within(isNull: Bool? = nil, depth: Int) -> AttributeValue {
    if isNull ?? random.oneIn(8) { return .null }
    let plain = [0, 1, 2, 3, 5]
    return value(depth < 4 && random.oneIn(3) ? 9 + random.below(2) : plain[random.below(5)], depth: depth)
  }

  private mutating func map(depth: Int) -> Item {
    var map = Item()
    for _ in 0..<random.below(5) { map[text()] = within(depth: depth) }
    return map
  }

  private static let pieces = [
    "a", "Z", "\"", "\\", "/", "\n", "\u{0}", "é", "e\u{301}", "€", "😀", " ", "-5",
  ]

  private mutating func text() -> String {
    (0..<random.below(6)).map { _ in Self.pieces[random.below(Self.pieces.count)] }.joined()
  }

  private mutating func bytes() -> [UInt8] { (0..<random.below(9)).map { _ in UInt8(random.below(256)) } }

  private mutating func number(exponent: Int, digits: Int) -> DynamoDBNumber {
    let text = (0..<1 + random.below(digits)).map { _ in "\(random.below(10))" }.joined()
    let sign = random.oneIn(2) ? "-" : ""
    return (try? DynamoDBNumber("\(sign)\(text)E\(exponent)")) ?? DynamoDBNumber(0)
  }
}

@Suite("Items through columns and Parquet")
struct ItemRoundTripTests {
  @Test("Any item comes back from a Parquet file of its columns", arguments: 0..<40)
  func roundTrip(seed: Int) async throws {
    var maker = ItemMaker(seed: seed)
    let items = (0..<20).map { maker.item($0) }
    let text = items.enumerated().map { number, item in
      let image = String(decoding: item.encoded(), as: UTF8.self)
      return #"{"eventName":"INSERT","dynamodb":{"Keys":{"id":{"S":"\#(number)"}},"NewImage":\#(image)}}"#
    }.joined(separator: "\n")
    var inference = SchemaInference(.changeRecords)
    #expect(try await readAll(text, into: &inference).isEmpty)
    var builder = try ChangeBatchBuilder(
      schema: inference.schema, keyFields: inference.keyFields, owners: inference.owners)
    #expect(try await readAll(text, into: &builder).isEmpty)
    let rows = try await Self.stored(try builder.finish().rows)
    let owners = builder.found.owners
    #expect(rows.count == items.count)
    for (row, item) in items.enumerated() {
      let back = try Self.item(row, of: rows, owners)
      #expect(Self.canonical(.map(back)) == Self.canonical(.map(item)), "row \(row)")
    }
  }

  /// The rows as a Parquet file gives them back.
  private static func stored(_ rows: RecordBatch) async throws -> RecordBatch {
    let storage = InMemoryStorage()
    var writer = try ParquetWriter(
      schema: rows.schema, to: try await storage.writer(at: "f.parquet"), path: "f.parquet")
    try await writer.append(rows)
    _ = try await writer.finish()
    let file = try await ParquetFile.open(storage, path: "f.parquet")
    return try await file.readRowGroup(0, columns: Array(file.schema.fields.indices))
  }

  /// A row as the item that it was, by what is noted of its columns.
  private static func item(_ row: Int, of rows: RecordBatch, _ owners: ColumnOwners) throws -> Item {
    var item = Item()
    for (field, column) in zip(rows.schema.fields, rows.columns) where !column.isNull(row) {
      if EventColumn.fields.contains(where: { $0.name == field.name }) { continue }
      let name = owners.name(of: field.name) ?? field.name
      item[name] = try value(row, of: column, owners.kinds(of: field.name))
    }
    return item
  }

  private static func value(_ row: Int, of column: Column, _ kinds: [String]) throws -> AttributeValue? {
    switch (column.type, column.values) {
    case (_, .boolean(let bits)): return .boolean(bits[row])
    case (_, .int64(let list)): return .number(DynamoDBNumber(list[row]))
    case (.decimal(_, let scale), .decimal(let list)):
      return .number(try DynamoDBNumber(coefficient: list[row], exponent: -scale))
    case (.binary, .bytes(let strings)): return .binary(strings[row].copied())
    case (.string, _): break
    default: return nil
    }
    let text = try #require(column.strings?.string(row))
    switch kinds {
    case []: return .string(text)
    case ["N"]: return .number(try DynamoDBNumber(text))
    case ["M"], ["L"]: return try attribute(text)
    case let mixed where mixed.contains("json"): return try attribute(text)
    case ["SS"], ["NS"], ["BS"]:
      guard case .list(let members) = try attribute(text) else { return nil }
      return set(members, kinds[0])
    default: return nil
    }
  }

  private static func set(_ members: [AttributeValue], _ kind: String) -> AttributeValue {
    var (texts, numbers): ([String], [DynamoDBNumber]) = ([], [])
    for member in members {
      if case .string(let text) = member { texts.append(text) }
      if case .number(let number) = member { numbers.append(number) }
    }
    switch kind {
    case "SS": return .stringSet(texts)
    case "NS": return .numberSet(numbers)
    default: return .binarySet(texts.map { Base64.decode(Array($0.utf8).span.bytes) ?? [] })
    }
  }

  private static func attribute(_ text: String) throws -> AttributeValue {
    try AttributeValue(json: try PlainJSON().marshallAttribute(Array(text.utf8)))
  }

  /// One text for all equal values, with their types.
  private static func canonical(_ value: AttributeValue) -> String {
    switch value {
    case .string(let text): "S\(Array(text.utf8))"
    case .number(let number): "N\(number.canonicalText)"
    case .binary(let bytes): "B\(bytes)"
    case .boolean(let flag): "\(flag)"
    case .null: "null"
    case .map(let item):
      "{"
        + item.attributes.map { "\(Array($0.name.utf8)):\(canonical($0.value))" }.sorted().joined(
          separator: ",")
        + "}"
    case .list(let values): "[\(values.map(canonical).joined(separator: ","))]"
    case .stringSet(let texts): "SS\(texts.map { canonical(.string($0)) }.sorted())"
    case .numberSet(let numbers): "NS\(numbers.map(\.canonicalText).sorted())"
    case .binarySet(let members): "BS\(members.map { "\($0)" }.sorted())"
    }
  }
}
