import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

@Suite("What attributes were whose columns do not tell it")
struct AttributeKindTests {
  private static func record(_ number: Int, _ members: String) -> String {
    change(id: "\(number)", new: members)
  }

  private static func inferred(
    _ images: [String], recognizesTimes: Bool = false
  ) async throws -> SchemaInference {
    var inference = SchemaInference(.changeRecords)
    inference.recognizesTimes = recognizesTimes
    let text = images.enumerated().map { record($0.offset, $0.element) }.joined()
    #expect(try await readAll(text, into: &inference).isEmpty)
    return inference
  }

  private static let images = [
    #""ss":{"SS":["b","a"]},"ns":{"NS":["2","10"]},"bs":{"BS":["AQ=="]},"l":{"L":[]},"m":{"M":{}},"s":{"S":"x"}"#,
    #""big":{"N":"1E-30"},"mixed":{"N":"1"},"n":{"N":"1"},"both":{"SS":["a"]},"flag":{"BOOL":true}"#,
    #""mixed":{"S":"x"},"both":{ "L" : [{"S":"a"}]},"a-b":{"SS":["z"]}"#,
  ]
  private static let kinds: [String: [String]] = [
    "ss": ["SS"], "ns": ["NS"], "bs": ["BS"], "l": ["L"], "m": ["M"], "big": ["N"],
    "mixed": ["N", "S", "json"],
    "both": ["L", "SS"],
  ]

  @Test("Sets, lists, maps and numbers in text are noted of the columns that are inferred")
  func inference() async throws {
    let inference = try await Self.inferred(Self.images)
    let owners = inference.owners
    for field in inference.schema.fields where owners.name(of: field.name) == nil {
      #expect(owners.kinds(of: field.name) == Self.kinds[field.name] ?? [], "\(field.name)")
    }
    let renamed = try #require(owners.column(of: "a-b"))
    #expect(owners.kinds(of: renamed) == ["SS"])
    #expect(inference.warnings.contains { $0.hasPrefix("column mixed becomes string") })
  }

  @Test(
    "They are noted of columns that come later, too, and of those that are there when something else comes")
  func later() async throws {
    let schema = Schema(
      [Field("id", .string), Field("s", .string), Field("ss", .string)] + EventColumn.fields)
    var owners = ColumnOwners()
    owners.note(["SS"], of: "ss")
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], owners: owners)
    let first = Self.record(1, Self.images[0]) + Self.record(2, Self.images[1])
    #expect(try await readAll(first, into: &builder).isEmpty)
    var found = builder.found.owners
    #expect(found.kinds(of: "s").isEmpty)
    #expect(found.kinds(of: "ss") == ["SS"])
    #expect(found.kinds(of: "ns") == ["NS"] && found.kinds(of: "both") == ["SS"])
    #expect(found.kinds(of: "n").isEmpty && found.kinds(of: "flag").isEmpty)
    let second = Self.record(3, #""s":{"N":"1"},"ss":{"S":"x"}"#) + Self.record(4, #""s":{"M":{}}"#)
    #expect(try await readAll(second, into: &builder).isEmpty)
    found = builder.found.owners
    #expect(found.kinds(of: "s") == ["M", "N", "S"])
    #expect(found.kinds(of: "ss") == ["S", "SS"])
    #expect(try builder.finish().rows.texts("ss") == [#"["a","b"]"#, "null", "x", "null"])
  }

  @Test(
    "Values of different types are told apart in JSON, but not in columns that were there, or that make keys")
  func mixed() async throws {
    let values = [
      #"{"S":"5"}"#, #"{"N":"5.0"}"#, #"{"S":"a\n\u00e9"}"#, #"{"BOOL":true}"#, #"{"L":[{"S":"5"}]}"#,
      #"{"B":"AQ=="}"#,
      #"{"NULL":true}"#, #"{"S":""}"#,
    ]
    let text = values.enumerated().map { Self.record($0.offset, "\"v\":\($0.element)") }.joined()
    let told = [#""5""#, "5", #""a\né""#, "true", #"["5"]"#, #""AQ==""#, "null", #""""#]
    let inference = try await Self.inferred(values.map { "\"v\":\($0)" })
    var builder = try ChangeBatchBuilder(
      schema: inference.schema, keyFields: ["id"], owners: inference.owners)
    #expect(try await readAll(text + Self.record(9, #""v":{"B":"?"}"#), into: &builder).count == 1)
    #expect(try builder.finish().rows.texts("v") == told)
    #expect(builder.found.owners == inference.owners)
    var late = try ChangeBatchBuilder(
      schema: Schema([Field("id", .string)]), keyFields: ["id"], keepsNewValues: true)
    #expect(try await readAll(text, into: &late).isEmpty)
    #expect(late.found.newFields.first?.warning?.hasSuffix("and stand there as JSON") ?? false)
    #expect(late.completed([try late.finish()])?.first?.rows.texts("v") == told)
    var old = try ChangeBatchBuilder(
      schema: Schema([Field("id", .string), Field("v", .string)]), keyFields: ["id"])
    #expect(try await readAll(text, into: &old).isEmpty)
    #expect(try old.finish().rows.texts("v").prefix(2) == ["5", "5.0"])
    var named = SchemaInference(.changeRecords, preferred: ["v"])
    #expect(try await readAll(text, into: &named).isEmpty)
    #expect(!named.owners.kinds(of: "v").contains("json"))
  }

  @Test("What several writers noted is joined")
  func joined() {
    var one = ColumnOwners()
    var other = ColumnOwners()
    one.note(["SS"], of: "x")
    other.note(["L"], of: "x")
    other.note([], of: "y")
    #expect(one.formUnion(other) == nil)
    #expect(one.kinds(of: "x") == ["L", "SS"])
    #expect(one.columnsWithKinds == ["x"])
    #expect(one != other)
  }

  @Test("Equal items are equal rows, however their sets and maps are written")
  func canonical() async throws {
    let pairs = [
      (#"{"NS":["10","2","1.50"]}"#, #"{"NS":["1.5","2.0","10"]}"#, "[1.5,2,10]"),
      (#"{"SS":["b","a","\u00e9"]}"#, #"{"SS":["é","a","b"]}"#, #"["a","b","é"]"#),
      (#"{"BS":["/w==","AQ=="]}"#, #"{"BS":["AQ==","/w=="]}"#, #"["AQ==","/w=="]"#),
      (
        #"{"M":{"b":{"NS":["3","1"]},"a":{"L":[{"N":"2"},{"N":"1.0"}]}}}"#,
        #"{"M":{"a":{"L":[{"N":"2"},{"N":"1"}]},"b":{"NS":["1","3"]}}}"#, #"{"a":[2,1],"b":[1,3]}"#
      ),
    ]
    for (one, other, text) in pairs {
      var builder = try ChangeBatchBuilder(
        schema: Schema([Field("id", .string), Field("v", .string)]), keyFields: ["id"])
      let records = Self.record(1, "\"v\":\(one)") + Self.record(2, "\"v\":\(other)")
      #expect(try await readAll(records, into: &builder).isEmpty)
      #expect(try builder.finish().rows.texts("v") == [text, text])
    }
    // What other tools write as plain JSON, too, but for what no attribute can be.
    let plain = [
      (#"{"b":1.0,"a":[2,{"d":1,"c":null}]}"#, #"{"a":[2,{"c":null,"d":1}],"b":1}"#),
      (#"{"b":1,"b":2}"#, #"{"b":1,"b":2}"#), (#"[1e999,1]"#, #"[1e999,1]"#),
    ]
    for (written, text) in plain {
      var builder = try ChangeBatchBuilder(
        schema: Schema([Field("id", .string), Field("v", .string)]), keyFields: ["id"])
      let record = #"{"event_name":"INSERT","id":"1","v":\#(written)}"#
      #expect(try await readAll(record, into: &builder).isEmpty)
      #expect(try builder.finish().rows.texts("v") == [text])
    }
  }

  // MARK: Times

  private static let timed = [
    #""at":{"S":"2024-01-31T12:00:00Z"},"s":{"N":"1705312800"},"ms":{"N":"1705312800123"},"us":{"N":"1705312800123456"}"#,
    #""at":{"S":"2024-01-31T12:00:00.123456+02:00"},"s":{"N":"1705312801"},"ms":{"N":"1705312800124"},"us":{"NULL":true}"#,
  ]

  @Test("Times are recognized where all values agree, and only where that is asked for")
  func times() async throws {
    let plain = try await Self.inferred(Self.timed)
    #expect(
      plain.schema.summary.prefix(5) == ["id: string", "at: string", "s: long", "ms: long", "us: long"])
    #expect(plain.owners.columnsWithKinds.isEmpty && plain.warnings.isEmpty)
    let inference = try await Self.inferred(Self.timed, recognizesTimes: true)
    #expect(
      inference.schema.summary.prefix(5) == [
        "id: string", "at: timestamp", "s: timestamp", "ms: timestamp", "us: timestamp",
      ])
    #expect(inference.owners.kinds(of: "at").isEmpty)
    #expect(inference.owners.kinds(of: "ms") == ["epoch-milliseconds"])
    #expect(inference.warnings.count == 4)
    var builder = try ChangeBatchBuilder(
      schema: inference.schema, keyFields: ["id"], owners: inference.owners)
    let odd = [
      #""s":{"N":"0"},"ms":{"N":"-1.5"},"us":{"S":"2024-01-31T12:00:00Z"}"#, #""ms":{"N":"1.2345"}"#,
      #""s":{"N":"9E30"}"#, #""at":{"N":"1705312800"}"#,
    ]
    let text = (Self.timed + odd).enumerated().map { Self.record($0.offset, $0.element) }.joined()
    let rejected = try await readAll(text, into: &builder)
    #expect(rejected.map(\.reason.code) == [.misfit, .misfit, .misfit])
    #expect(rejected.map(\.reason.column) == ["ms", "s", "at"])
    let rows = try builder.finish().rows
    #expect(rows.texts("at") == ["1706702400000000", "1706695200123456", "null"])
    #expect(rows.texts("s") == ["1705312800000000", "1705312801000000", "0"])
    #expect(rows.texts("ms") == ["1705312800123000", "1705312800124000", "-1500"])
    #expect(rows.texts("us") == ["1705312800123456", "null", "1706702400000000"])
    #expect(builder.found.owners.kinds(of: "us") == ["S", "epoch-microseconds"])
  }

  @Test("What only looks like times in part stays as it is")
  func noTimes() async throws {
    let pairs = [
      (#"{"S":"2024-01-31T12:00:00Z"}"#, #"{"S":"soon"}"#, "string"),
      (#"{"S":"2024-01-31T12:00:00Z"}"#, #"{"S":"2024-01-31T12:00:00"}"#, "string"),
      (#"{"S":"2024-01-31T12:00:00"}"#, #"{"NULL":true}"#, "string"),
      (#"{"S":"2024-01-31T12:00:00.0000001Z"}"#, #"{"NULL":true}"#, "string"),
      (#"{"N":"1705312800"}"#, #"{"N":"1705312800123"}"#, "long"),
      (#"{"N":"1705312800"}"#, #"{"N":"12"}"#, "long"),
      (#"{"N":"1705312800"}"#, #"{"N":"1705312800.5"}"#, "decimal(38,18)"),
      (#"{"S":"2024-01-31T12:00:00Z"}"#, #"{"N":"1705312800"}"#, "string"),
    ]
    for (one, other, type) in pairs {
      let inference = try await Self.inferred(
        ["\"v\":\(one)", "\"v\":\(other)"], recognizesTimes: true)
      #expect(inference.schema["v"]?.type.name == type, "\(one) \(other)")
      #expect(!inference.owners.kinds(of: "v").contains { $0.hasPrefix("epoch") })
    }
    var keyed = SchemaInference(.changeRecords)
    keyed.recognizesTimes = true
    let key = #"{"id":{"S":"1"},"t":{"N":"1705312800"}}"#
    #expect(try await readAll(change(new: #""t":{"N":"1705312800"}"#, keys: key), into: &keyed).isEmpty)
    #expect(keyed.schema["t"]?.type == .int64)
    #expect(keyed.owners.columnsWithKinds.isEmpty)
  }

  @Test("Columns of times that later records bring are filled in without another reading")
  func laterTimes() async throws {
    var builder = try ChangeBatchBuilder(
      schema: Schema([Field("id", .string)]), keyFields: ["id"], keepsNewValues: true)
    builder.recognizesTimes = true
    let text = Self.timed.enumerated().map { Self.record($0.offset, $0.element) }.joined()
    #expect(try await readAll(text, into: &builder).isEmpty)
    let rows = try #require(builder.completed([try builder.finish()])?.first?.rows)
    #expect(rows.texts("ms") == ["1705312800123000", "1705312800124000"])
    #expect(rows.texts("at") == ["1706702400000000", "1706695200123456"])
    #expect(builder.found.owners.kinds(of: "s") == ["epoch-seconds"])
  }
}
