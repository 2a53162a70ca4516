import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import Testing

@Suite("Plain rows and inferred schemas")
struct RowTests {
  @Test("Change records give columns in order of appearance, keys first, then the event columns")
  func inferChanges() async throws {
    let text =
      change(
        id: "1", new: #""a":{"N":"1"},"b":{"N":"1"},"c":{"BOOL":true},"d":{"NULL":true},"g":{"N":"1E+30"}"#)
      + change(
        id: "2",
        new:
          #""b":{"N":"1.5"},"e":{"M":{}},"f":{"B":"AQ=="},"c":{"S":"x"},"A":{"S":"x"},"_event_id":{"S":"x"}"#)
    var inference = SchemaInference(.changeRecords)
    #expect(try await readAll(text, into: &inference).isEmpty)
    #expect(
      inference.schema.summary == [
        "id: string", "a_a98c6e5b: long", "b: decimal(38,18)", "c: string", "g: string", "e: string",
        "f: binary", "A: string", "__event_id_\(Self.digits(of: "_event_id")): string", "_event_id: string",
        "_event_name: string", "_event_time: timestamp", "_event_sequence: string",
      ])
    #expect(inference.keyFields == ["id"])
    #expect(inference.warnings.count == 4)
    #expect(inference.untypedNames == ["d"])
    #expect(inference.warnings.contains { $0.contains("column c becomes string") })
    #expect(inference.warnings.contains { $0.contains("column g becomes string") })
    #expect(inference.warnings.contains { $0.contains("since another column's name differs in case only") })
    #expect(inference.schema.fields.allSatisfy { $0.isNullable })
  }

  private static func digits(of name: String) -> String {
    let digits = String(XXH64.hash(Array(name.utf8).span.bytes) & 0xffff_ffff, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  @Test("Numbers that are none tell nothing of their column")
  func brokenNumbers() async throws {
    let text =
      change(id: "1", new: #""n":{"N":"1"}"#) + change(id: "2", new: #""n":{"N":"NaN"}"#)
      + change(id: "3", new: #""n":{"N":"1e400"}"#)
    var inference = SchemaInference(.changeRecords)
    #expect(try await readAll(text, into: &inference).isEmpty)
    #expect(inference.schema["n"]?.type == .int64)
    #expect(inference.warnings.isEmpty)
    var builder = try ChangeBatchBuilder(schema: inference.schema, keyFields: ["id"])
    let reasons = try await readAll(text, into: &builder).map(\.reason.description)
    #expect(reasons.count == 2)
    #expect(reasons.allSatisfy { $0.hasPrefix("column n: ") && !$0.contains("create --schema") })
  }

  @Test("Plain rows give the same, with doubles for fractions")
  func inferRows() async throws {
    let text = """
      {"i":1,"f":1.5,"g":1,"big":12345678901234567890,"huge":1e3,"mixed":9007199254740993,"s":"x","b":true,"l":[1],"n":null}
      {"i":-9223372036854775808,"f":2,"g":1e300,"big":1,"huge":123456789012345678901234567890,"mixed":0.5}
      """
    var inference = SchemaInference(.rows)
    #expect(try await readAll(text, into: &inference).isEmpty)
    #expect(
      inference.schema.summary == [
        "i: long", "f: double", "g: double", "big: decimal(38,18)", "huge: string", "mixed: string",
        "s: string",
        "b: boolean", "l: string",
      ])
    #expect(inference.warnings.count == 2)
  }

  @Test("Rows become columns of the schema's types, missing members null")
  func rows() async throws {
    let schema = Schema([
      Field("d", .decimal(precision: 10, scale: 2)), Field("f", .double),
      Field("t", .timestamp(.microseconds, .instant)),
      Field("day", .date), Field("b", .binary), Field("s", .string), Field("i", .int64),
    ])
    let text = """
      {"d":"1.50","f":"NaN","t":"1970-01-01T00:00:00.000001Z","day":"1970-01-02","b":"AQ==","s":[1, 2],"i":"7"}
      {"d":2.25,"f":1e3,"s":{"a":1},"i":null}
      {"f":"-Infinity","s":1.50}{"s":true,"f":1e400}{"t":5}
      {"f":12345678901234567890123456789012345678901234567890}
      """
    var builder = try RowBatchBuilder(schema: schema)
    let rejected = try await readAll(text, into: &builder)
    let batch = try builder.finish()
    #expect(batch.texts("d") == ["150", "225", "null", "null"])
    #expect(batch.texts("f") == ["nan", "1000.0", "-inf", "1.2345678901234567e+49"])
    #expect(batch.texts("t") == ["1", "null", "null", "null"])
    #expect(batch.texts("day") == ["1", "null", "null", "null"])
    #expect(batch.texts("b") == ["[1]", "null", "null", "null"])
    #expect(batch.texts("s") == ["[1, 2]", "{\"a\":1}", "1.50", "null"])
    #expect(batch.texts("i") == ["7", "null", "null", "null"])
    #expect(rejected.map(\.line) == [3, 3])
    #expect(
      rejected.last?.reason.description.contains("a number does not say whether it counts seconds") == true)
    #expect(builder.taken == 4 && builder.rejected == 2)
  }

  @Test("An unknown member rejects its row, or is left out and told of")
  func unknown() async throws {
    let schema = Schema([Field("a", .int64)])
    let text = "{\"a\":1}\n{\"a\":2,\"x\\u0041\":1.5,\"n\":null}\n{\"a\":3}\n"
    var strict = try RowBatchBuilder(schema: schema)
    let rejected = try await readAll(text, into: &strict)
    #expect(rejected.map(\.reason) == [.unknownMember(name: "xA")])
    #expect(try strict.finish().texts("a") == ["1", "3"])
    var open = try RowBatchBuilder(schema: schema, unknown: .leaveOut)
    #expect(try await readAll(text, into: &open).isEmpty)
    #expect(open.found.newFields.map { "\($0.field.name): \($0.field.type.name)" } == ["xA: double"])
    #expect(open.found.untypedNames == ["n"])
    #expect(try open.finish().texts("a") == ["1", "2", "3"])
  }

  @Test("Rows without a key, or with a member twice, are rejected")
  func keys() async throws {
    var builder = try RowBatchBuilder(
      schema: Schema([Field("k", .string), Field("v", .int64)]), keyFields: ["k"])
    let text = "{\"k\":\"a\",\"v\":1}\n{\"v\":2}\n{\"k\":null}\n{\"k\":\"b\",\"k\":\"c\"}\n"
    let rejected = try await readAll(text, into: &builder)
    #expect(
      rejected.map(\.reason) == [.missingKey(column: "k"), .missingKey(column: "k"), .duplicate(name: "k")])
    #expect(try builder.finish().count == 1)
  }

  @Test("A key of one column that is empty is rejected, and commas and colons are taken")
  func badKeys() async throws {
    let schema = Schema([Field("k", .string), Field("l", .string)])
    var single = try RowBatchBuilder(schema: schema, keyFields: ["k"])
    let singles = try await readAll(#"{"k":""}{"k":"a:b,c"}"#, into: &single)
    #expect(singles.map(\.reason.description) == [#"key column k: "" is empty, and a key needs a text"#])
    var pair = try RowBatchBuilder(schema: schema, keyFields: ["k", "l"])
    let pairs = try await readAll(
      #"{"k":"a","l":""}{"k":"a:b","l":"c"}{"k":"a","l":"b,c"}{"k":"a","l":"b"}"#, into: &pair)
    #expect(pairs.isEmpty)
    #expect(try pair.finish().texts("l") == ["", "c", "b,c", "b"])
  }

  @Test("Parts of a composite key may be null or empty, as in rows of other files, but not all of them")
  func nullParts() async throws {
    let schema = Schema([Field("k", .string), Field("l", .int64), Field("m", .string, isNullable: false)])
    var pair = try RowBatchBuilder(schema: schema, keyFields: ["k", "l"])
    let text = #"{"k":null,"l":1}{"k":"a"}{"k":"","l":null}{"k":null}{}"#
    let rejected = try await readAll(text, into: &pair)
    #expect(rejected.map(\.reason) == [RejectionReason](repeating: .missingKey(column: "k, l"), count: 3))
    #expect(try pair.finish().texts("l") == ["1", "null"])
    var strict = try RowBatchBuilder(schema: schema, keyFields: ["k", "m"])
    #expect(
      try await readAll(#"{"k":"a"}{"m":"b"}"#, into: &strict).map(\.reason) == [.missingKey(column: "m")])
    let changes = try ChangeBatchBuilder(schema: schema, keyFields: ["k", "l"])
    for (keys, isTaken) in [(#"{"k":{"S":"a"}}"#, true), (#"{"k":{"NULL":true}}"#, false)] {
      var builder = changes
      let removal = #"{"eventName":"REMOVE","dynamodb":{"Keys":\#(keys)}}"#
      #expect(try await readAll(removal, into: &builder).isEmpty == isTaken)
    }
  }

  @Test("A byte order mark before the text is passed over", arguments: [1, 2, 4, 100])
  func byteOrderMark(chunk: Int) async throws {
    var builder = try RowBatchBuilder(schema: Schema([Field("a", .int64)]))
    #expect(try await readAll("\u{feff}{\"a\":1}\n{\"a\":2}", into: &builder, chunk: chunk).isEmpty)
    #expect(try builder.finish().texts("a") == ["1", "2"])
    #expect(try await readAll("\u{feff}", into: &builder, chunk: chunk).isEmpty)
  }

  @Test("Batches are bounded, and the builder goes on")
  func batches() async throws {
    var builder = try RowBatchBuilder(schema: Schema([Field("a", .int64)]))
    let storage = InMemoryStorage()
    let text = (0..<250).map { "{\"a\":\($0)}" }.joined(separator: "\n")
    try await storage.put(Array(text.utf8), at: "x", if: .always)
    var reader = RecordReader(storage: storage, paths: ["x"])
    var sizes: [Int] = []
    var more = true
    while more {
      more = try await reader.read(into: &builder, limit: 100)
      sizes.append(try builder.finish().count)
    }
    #expect(sizes == [100, 100, 50])
    #expect(reader.textBytes == text.utf8.count)
  }

  @Test("Schemas that JSON cannot fill, or that lack a named column, are refused")
  func badSchemas() {
    let nested = Schema([Field("l", .list(Field("element", .int64)))])
    #expect(throws: ChangeError.self) { try RowBatchBuilder(schema: nested) }
    #expect(throws: ChangeError.self) { try RowBatchBuilder(schema: Schema([]), keyFields: ["a"]) }
    #expect(throws: ChangeError.self) {
      try ChangeBatchBuilder(schema: Schema([Field("_event_id", .int64)]), keyFields: [])
    }
    #expect(throws: ChangeError.self) {
      try RowBatchBuilder(schema: Schema([Field("a", .int64), Field("a", .string)]))
    }
  }
}
