import TarnBytes
import TarnCDC
import TarnColumns
import Testing

@Suite("Columns of names that no column can have")
struct ColumnNameTests {
  private func inferred(_ image: String) async throws -> SchemaInference {
    var inference = SchemaInference(.changeRecords)
    #expect(try await readAll(change(new: image), into: &inference).isEmpty)
    return inference
  }

  @Test("Characters that Avro refuses become underscores, and each is told of")
  func simple() async throws {
    let inference = try await inferred(
      #""a-b":{"N":"1"},"1x":{"S":""},"$":{"S":""},"":{"S":""},"p.q r":{"S":""},"_hoodie_is_deleted":{"S":""}"#
    )
    let names = inference.schema.fields.map(\.name)
    // The empty name comes before `$`, and takes the column that both would have.
    #expect(names.prefix(3) == ["id", "a_b", "_1x"])
    #expect(names[3].hasPrefix("__") && names[4] == "_")
    #expect(names.contains("p_q_r") && names.contains("__hoodie_is_deleted"))
    #expect(Set(names).count == names.count)
    #expect(inference.warnings.count == 6)
    #expect(inference.warnings.first?.contains(#""a-b" goes to the column a_b"#) == true)
  }

  @Test("Names beyond ASCII stay apart")
  func beyondASCII() async throws {
    let names = try await inferred(#""größe":{"N":"1"},"日本":{"N":"1"},"東京":{"N":"1"}"#).schema.fields
      .dropFirst().prefix(3).map(\.name)
    #expect(Set(names).count == 3)
    #expect(names[0].hasPrefix("gr__e_") && names[1].hasPrefix("___") && names[2].hasPrefix("___"))
  }

  @Test("Names that would meet in one column get columns of their own, whatever their order")
  func collisions() async throws {
    let one = try await inferred(#""a-b":{"N":"1"},"a_b":{"S":"x"},"a.b":{"S":"x"}"#).schema
    let other = try await inferred(#""a.b":{"S":"x"},"a_b":{"S":"x"},"a-b":{"N":"1"}"#).schema
    #expect(Set(one.fields.map(\.name)) == Set(other.fields.map(\.name)))
    #expect(one["a_b"]?.type == .string)
    #expect(one.fields[1].name.hasPrefix("a_b_") && one.fields[1].type == .int64)
    #expect(one.fields.count == 7)
  }

  @Test("Keys are those columns, and keys of bytes are text")
  func keys() async throws {
    let keys = #"{"my-id":{"B":"AAH+"},"n":{"N":"1"}}"#
    let text = #"{"eventName":"INSERT","dynamodb":{"Keys":\#(keys),"NewImage":\#(keys)}}"#
    var inference = SchemaInference(.changeRecords)
    #expect(try await readAll(text, into: &inference).isEmpty)
    #expect(inference.keyFields == ["my_id", "n"])
    #expect(inference.schema["my_id"]?.type == .string)
    #expect(inference.warnings.contains { $0.contains("key column my_id becomes string") })
    var builder = try ChangeBatchBuilder(schema: inference.schema, keyFields: inference.keyFields)
    let removal = #"{"eventName":"REMOVE","dynamodb":{"Keys":\#(keys)}}"#
    #expect(try await readAll(text + removal, into: &builder).isEmpty)
    #expect(try builder.finish().rows.texts("my_id") == ["AAH+", "AAH+"])
  }

  @Test("Later batches find the column, until a record brings the name it has")
  func laterBatches() async throws {
    var schema = Schema([Field("id", .string), Field("a_b", .int64)] + EventColumn.fields)
    let text =
      change(id: "1", new: #""a-b":{"N":"1"}"#) + change(id: "2", new: #""a-b":{"N":"2"},"a_b":{"N":"3"}"#)
      + change(id: "3", new: #""a_b":{"N":"4"},"a-b":{"N":"5"}"#)
    var first = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    #expect(try await readAll(change(id: "1", new: #""a-b":{"N":"1"}"#), into: &first).isEmpty)
    #expect(first.newFields.isEmpty)
    #expect(try first.finish().rows.texts("a_b") == ["1"])

    var second = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    #expect(try await readAll(text, into: &second).isEmpty)
    let new = try #require(second.newFields.first)
    #expect(new.field.name.hasPrefix("a_b_") && new.field.type == .int64)
    #expect(new.warning?.contains(#""a-b" goes to the column \#(new.field.name)"#) == true)
    schema.fields.append(new.field)

    var third = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    #expect(try await readAll(text, into: &third).isEmpty)
    #expect(third.newFields.isEmpty)
    let rows = try third.finish().rows
    #expect(rows.texts("a_b") == ["null", "3", "4"])
    #expect(rows.texts(new.field.name) == ["1", "2", "5"])
  }

  @Test("Of names that differ in case only one is kept, that of a key first, in later batches too")
  func caseOnly() async throws {
    let image = #""ID":{"S":"x"},"Note":{"S":"y"},"nOTE":{"S":"z"}"#
    let inference = try await inferred(image)
    let names = inference.schema.fields.map(\.name)
    #expect(
      names[0] == "id" && names[1].hasPrefix("ID_") && names[2] == "Note" && names[3].hasPrefix("nOTE_"))
    #expect(
      inference.warnings.first
        == #""ID" goes to the column \#(names[1]), since another column's name differs in case only"#)
    var whole = try ChangeBatchBuilder(schema: inference.schema, keyFields: ["id"])
    #expect(try await readAll(change(new: image), into: &whole).isEmpty)
    #expect(whole.newFields.isEmpty)
    let rows = try whole.finish().rows
    #expect(names.prefix(4).map { rows.texts($0) } == [["1"], ["x"], ["y"], ["z"]])

    let narrow = Schema([Field("id", .string), Field("note", .string)] + EventColumn.fields)
    var later = try ChangeBatchBuilder(schema: narrow, keyFields: ["id"])
    #expect(try await readAll(change(new: image), into: &later).isEmpty)
    #expect(later.newFields.map(\.field.name).prefix(1) == [names[1]])
    #expect(Set(later.newFields.map { $0.field.name.lowercased() }).count == 3)
    #expect(later.newFields.allSatisfy { $0.field.name.contains("_") })
  }

  @Test("Rows keep the names that a caller prefers")
  func preferred() async throws {
    var inference = SchemaInference(.rows, preferred: ["id"])
    #expect(try await readAll(#"{"ID":1,"id":2}"#, into: &inference).isEmpty)
    let names = inference.schema.fields.map(\.name)
    #expect(names[0].hasPrefix("ID_") && names[1] == "id")
  }

  @Test("A record with more names than are told apart is rejected, and a deletion is not")
  func tooManyNames() async throws {
    let image = (0..<9_998).map { #""n\#($0)":{"N":"1"}"# }.joined(separator: ",")
    let more = #""a":{"S":"x"},"b":{"S":"x"}"#
    let text =
      change(id: "1", new: image) + change(id: "2", new: more) + change(id: "3", new: #""a":{"S":"x"}"#)
      + change("REMOVE", id: "4", old: #""c":{"S":"x"}"#)
    var builder = try ChangeBatchBuilder(schema: Schema([Field("id", .string)]), keyFields: ["id"])
    let rejected = try await readAll(text, into: &builder)
    #expect(rejected.map(\.reason) == [.tooManyNames(name: "b", limit: 10_000)])
    #expect(rejected.first?.description.contains("\"b\" is one name too many") == true)
    #expect(try builder.finish().rows.texts("id") == ["1", "3", "4"])
  }

  @Test("A name twice is refused, with or without a column of its own")
  func twice() async throws {
    let schema = Schema([Field("id", .string), Field("a_b", .int64)])
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    let text = change(new: #""a-b":{"N":"1"},"a-b":{"N":"2"}"#)
    #expect(try await readAll(text, into: &builder).map(\.reason) == [.duplicate(name: "a-b")])
  }

  @Test("Attributes called as event columns do not touch those")
  func eventColumns() async throws {
    let schema = Schema([Field("id", .string)] + EventColumn.fields)
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    let text = change(id: "7", new: #""_event_id":{"S":"mine"},"_event_time":{"N":"1"}"#)
    #expect(try await readAll(text, into: &builder).isEmpty)
    #expect(builder.newFields.map(\.field.name) == ["__event_id", "__event_time"])
    #expect(try builder.finish().rows.texts("_event_id") == ["e7"])
  }
}
