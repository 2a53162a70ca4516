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

  @Test("Characters that Avro refuses become underscores with digits behind them, and each is told of")
  func simple() async throws {
    let inference = try await inferred(
      #""a-b":{"N":"1"},"1x":{"S":""},"$":{"S":""},"":{"S":""},"p.q r":{"S":""},"_hoodie_is_deleted":{"S":""}"#
    )
    let names = inference.schema.fields.map(\.name)
    #expect(names[0] == "id")
    for (name, simple) in zip(names.dropFirst(), ["a_b", "_1x", "_", "_", "p_q_r", "__hoodie_is_deleted"]) {
      #expect(name.hasPrefix(simple + "_") && name.utf8.count == simple.utf8.count + 9, "\(name)")
    }
    #expect(Set(names).count == names.count)
    #expect(inference.warnings.count == 6)
    #expect(inference.warnings.first?.contains(#""a-b" goes to the column \#(names[1])"#) == true)
    #expect(inference.owners.pairs.map(\.column) == names[1...6].sorted())
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
    #expect(one.fields.count == 8)
  }

  @Test("Keys are those columns, and keys of bytes are text")
  func keys() async throws {
    let keys = #"{"my-id":{"B":"AAH+"},"n":{"N":"1"}}"#
    let text = #"{"eventName":"INSERT","dynamodb":{"Keys":\#(keys),"NewImage":\#(keys)}}"#
    var inference = SchemaInference(.changeRecords)
    #expect(try await readAll(text, into: &inference).isEmpty)
    let column = inference.keyFields[0]
    #expect(column.hasPrefix("my_id_") && inference.keyFields[1...] == ["n"])
    #expect(inference.schema[column]?.type == .string)
    #expect(inference.warnings.contains { $0.contains("key column \(column) becomes string") })
    var builder = try ChangeBatchBuilder(schema: inference.schema, keyFields: inference.keyFields)
    let removal = #"{"eventName":"REMOVE","dynamodb":{"Keys":\#(keys)}}"#
    #expect(try await readAll(text + removal, into: &builder).isEmpty)
    #expect(try builder.finish().rows.texts(column) == ["AAH+", "AAH+"])
  }

  @Test("A plain name's column is its own, whichever of the names comes in which batch")
  func laterBatches() async throws {
    var schema = Schema([Field("id", .string), Field("a_b", .int64)] + EventColumn.fields)
    let text =
      change(id: "1", new: #""a-b":{"N":"1"}"#) + change(id: "2", new: #""a-b":{"N":"2"},"a_b":{"N":"3"}"#)
      + change(id: "3", new: #""a_b":{"N":"4"},"a-b":{"N":"5"}"#)
    for isComplete in [true, false] {
      schema.fields.removeAll { $0.name.hasPrefix("a_b_") }
      let owners = ColumnOwners(isComplete: isComplete)
      var first = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], owners: owners)
      #expect(try await readAll(change(id: "1", new: #""a-b":{"N":"1"}"#), into: &first).isEmpty)
      let new = try #require(first.found.newFields.first)
      #expect(new.field.name.hasPrefix("a_b_") && new.field.type == .int64)
      #expect(new.warning?.contains(#""a-b" goes to the column \#(new.field.name)"#) == true)
      #expect(try first.finish().rows.texts("a_b") == ["null"])
      schema.fields.append(new.field)

      // With what was noted, and without, as where the table's properties are another writer's.
      for known in [first.found.owners, owners] {
        var second = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], owners: known)
        #expect(try await readAll(text, into: &second).isEmpty)
        #expect(second.found.newFields.isEmpty)
        #expect(second.found.owners.column(of: "a-b") == new.field.name)
        let rows = try second.finish().rows
        #expect(rows.texts("a_b") == ["null", "3", "4"])
        #expect(rows.texts(new.field.name) == ["1", "2", "5"])
      }
    }
  }

  @Test("In an older table a key's or partition's column stays with the one name that comes for it")
  func olderTables() async throws {
    let schema = Schema([Field("my_id", .string), Field("part", .string), Field("a_b", .string)])
    func record(_ image: String) -> String {
      #"{"eventName":"INSERT","dynamodb":{"Keys":{"my-id":{"S":"k"}},"NewImage":{"my-id":{"S":"k"}\#(image)}}}"#
    }
    func builder(_ owners: ColumnOwners) throws -> ChangeBatchBuilder {
      try ChangeBatchBuilder(
        schema: schema, keyFields: ["my_id"], partitionFields: ["part", "a_b"], owners: owners)
    }
    var older = try builder(ColumnOwners(isComplete: false))
    #expect(try await readAll(record(#","a.b":{"S":"x"}"#), into: &older).isEmpty)
    #expect(older.found.newFields.isEmpty)
    #expect(
      older.found.owners.column(of: "my-id") == "my_id" && older.found.owners.column(of: "a.b") == "a_b")
    let rows = try older.finish().rows
    #expect(rows.texts("my_id") == ["k"] && rows.texts("a_b") == ["x"])

    // Whoever comes later finds the column taken, be it by its own name.
    var later = try builder(older.found.owners)
    #expect(try await readAll(record(#","a_b":{"S":"y"},"a-b":{"S":"z"}"#), into: &later).isEmpty)
    #expect(later.found.newFields.count == 2)
    #expect(later.found.newFields.allSatisfy { $0.field.name.hasPrefix("a_b_") })
    #expect(try later.finish().rows.texts("a_b") == ["null"])

    // Where the column's own name comes in the same batch, it is the owner, in whatever order.
    var both = try builder(ColumnOwners(isComplete: false))
    let text = record(#","a-b":{"S":"z"}"#) + record(#","a_b":{"S":"y"}"#)
    #expect(try await readAll(text, into: &both).isEmpty)
    #expect(both.found.newFields.map { $0.field.name.hasPrefix("a_b_") } == [true])
    #expect(both.found.owners.column(of: "a_b") == "a_b")

    // In a new table no name is taken for another.
    var new = try builder(ColumnOwners())
    #expect(try await readAll(record(""), into: &new).map(\.reason) == [.missingKey(column: "my_id")])
  }

  @Test("Names that look the same but are other bytes have columns of their own")
  func canonicalForms() async throws {
    let names = try await inferred(#""\u00e9":{"S":"a"},"e\u0301":{"S":"b"}"#).owners.pairs
    #expect(names.count == 2 && names[0].column != names[1].column)
    #expect(Set(names.map { Array($0.name.utf8) }).count == 2)
  }

  @Test("A name with the digits of another's column does not share it, whichever comes first")
  func digitsTaken() async throws {
    let distinct = try await inferred(#""a-b":{"N":"1"}"#).schema.fields[1].name
    for order in [["a-b", distinct], [distinct, "a-b"]] {
      var schema = Schema([Field("id", .string)])
      var owners = ColumnOwners()
      for name in order + order {
        for _ in 0..<2 {
          var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], owners: owners)
          #expect(try await readAll(change(new: #""\#(name)":{"S":"x"}"#), into: &builder).isEmpty)
          schema.fields += builder.found.newFields.map(\.field)
          owners = builder.found.owners
        }
      }
      #expect(schema.fields.count == 3)
      #expect(owners.column(of: "a-b") != owners.column(of: distinct))
    }
  }

  @Test("In rows a column's own name always means that column, and two names for one in a row are refused")
  func columnsOwnNames() async throws {
    var inference = SchemaInference(.rows)
    #expect(try await readAll(#"{"id":1,"a-b":2}"#, into: &inference).isEmpty)
    let column = inference.schema.fields[1].name
    var builder = try RowBatchBuilder(schema: inference.schema, unknown: .leaveOut, owners: inference.owners)
    let text = #"{"id":1,"a-b":2}{"id":2,"\#(column)":3}{"id":3,"a-b":4,"\#(column)":5}"#
    #expect(
      try await readAll(text, into: &builder).map(\.reason) == [
        .sameColumn(column: column, names: ["a-b", column])
      ])
    #expect(try builder.finish().texts(column) == ["2", "3"])
    #expect(builder.found.newFields.isEmpty)
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
    #expect(whole.found.newFields.isEmpty)
    let rows = try whole.finish().rows
    #expect(names.prefix(4).map { rows.texts($0) } == [["1"], ["x"], ["y"], ["z"]])

    let narrow = Schema([Field("id", .string), Field("note", .string)] + EventColumn.fields)
    var later = try ChangeBatchBuilder(schema: narrow, keyFields: ["id"])
    #expect(try await readAll(change(new: image), into: &later).isEmpty)
    #expect(later.found.newFields.map(\.field.name).prefix(1) == [names[1]])
    #expect(Set(later.found.newFields.map { $0.field.name.lowercased() }).count == 3)
    #expect(later.found.newFields.allSatisfy { $0.field.name.contains("_") })
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
    let inference = try await inferred(#""a-b":{"N":"1"}"#)
    var builder = try ChangeBatchBuilder(
      schema: inference.schema, keyFields: ["id"], owners: inference.owners)
    let text = change(new: #""a-b":{"N":"1"},"a-b":{"N":"2"}"#) + change(new: #""id":{"S":"2"}"#)
    #expect(
      try await readAll(text, into: &builder).map(\.reason) == [
        .duplicate(name: "a-b"), .duplicate(name: "id"),
      ])
  }

  @Test("Attributes called as event columns do not touch those")
  func eventColumns() async throws {
    let schema = Schema([Field("id", .string)] + EventColumn.fields)
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    let text = change(id: "7", new: #""_event_id":{"S":"mine"},"_event_time":{"N":"1"}"#)
    #expect(try await readAll(text, into: &builder).isEmpty)
    let names = builder.found.newFields.map(\.field.name)
    #expect(names[0].hasPrefix("__event_id_") && names[1].hasPrefix("__event_time_"))
    #expect(try builder.finish().rows.texts("_event_id") == ["e7"])
  }
}
