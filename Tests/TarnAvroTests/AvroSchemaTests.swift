import TarnAvro
import TarnColumns
import Testing

@Suite struct AvroSchemaTests {
  /// Columns of every type, as the tables that Spark wrote have them.
  static let columns = Schema([
    Field("id", .string), Field("ts", .int64), Field("flag", .boolean), Field("i", .int32),
    Field("f", .float), Field("d", .double), Field("price", .decimal(precision: 10, scale: 2)),
    Field("big", .decimal(precision: 38, scale: 18)), Field("day", .date),
    Field("at", .timestamp(.microseconds, .instant)), Field("bin", .binary),
    Field("tags", .list(Field("element", .string))),
    Field(
      "legs",
      .list(Field("element", .structure([Field("n", .int64), Field("s", .string)])))),
    Field("attrs", .map(key: Field("key", .string, isNullable: false), value: Field("value", .int64))),
    Field(
      "inner", .structure([Field("a", .string), Field("b", .structure([Field("c", .double)]))])),
  ])

  static let text =
    #"{"type":"record","name":"cow__plain_record","namespace":"hoodie.cow__plain","fields":["#
    + #"{"name":"id","type":["null","string"],"default":null},"#
    + #"{"name":"ts","type":["null","long"],"default":null},"#
    + #"{"name":"flag","type":["null","boolean"],"default":null},"#
    + #"{"name":"i","type":["null","int"],"default":null},"#
    + #"{"name":"f","type":["null","float"],"default":null},"#
    + #"{"name":"d","type":["null","double"],"default":null},"#
    + #"{"name":"price","type":["null",{"type":"fixed","name":"fixed","namespace":"hoodie.cow__plain.cow__plain_record.price","size":5,"logicalType":"decimal","precision":10,"scale":2}],"default":null},"#
    + #"{"name":"big","type":["null",{"type":"fixed","name":"fixed","namespace":"hoodie.cow__plain.cow__plain_record.big","size":16,"logicalType":"decimal","precision":38,"scale":18}],"default":null},"#
    + #"{"name":"day","type":["null",{"type":"int","logicalType":"date"}],"default":null},"#
    + #"{"name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null},"#
    + #"{"name":"bin","type":["null","bytes"],"default":null},"#
    + #"{"name":"tags","type":["null",{"type":"array","items":["null","string"]}],"default":null},"#
    + #"{"name":"legs","type":["null",{"type":"array","items":["null",{"type":"record","name":"legs","namespace":"hoodie.cow__plain.cow__plain_record","fields":[{"name":"n","type":["null","long"],"default":null},{"name":"s","type":["null","string"],"default":null}]}]}],"default":null},"#
    + #"{"name":"attrs","type":["null",{"type":"map","values":["null","long"]}],"default":null},"#
    + #"{"name":"inner","type":["null",{"type":"record","name":"inner","namespace":"hoodie.cow__plain.cow__plain_record","fields":[{"name":"a","type":["null","string"],"default":null},{"name":"b","type":["null",{"type":"record","name":"b","namespace":"hoodie.cow__plain.cow__plain_record.inner","fields":[{"name":"c","type":["null","double"],"default":null}]}],"default":null}]}],"default":null}]}"#

  @Test func columnsOfEveryTypeAreWrittenAsSparkWritesThem() throws {
    #expect(AvroSchema.text(of: Self.columns, table: "cow-plain") == Self.text)
    #expect(try AvroSchema.parse(Self.text) == Self.columns)
  }

  @Test func metaColumnsComeFirstAndCanBeDropped() throws {
    let schema = Schema([Field("id", .int64, isNullable: false)])
    let text = AvroSchema.text(of: schema, table: "t", withMetaColumns: true)
    let meta = #"{"name":"_hoodie_commit_time","type":["null","string"],"doc":"","default":null}"#
    #expect(text.hasPrefix(#"{"type":"record","name":"t_record","namespace":"hoodie.t","fields":["# + meta))
    #expect(text.hasSuffix(#","doc":"","default":null},{"name":"id","type":"long"}]}"#))
    let parsed = try AvroSchema.parse(text)
    #expect(parsed.names.prefix(5) == MetaColumns.all.prefix(5))
    #expect(MetaColumns.removed(from: parsed) == schema)
  }

  @Test func remainingTypesComeBack() throws {
    let schema = Schema([
      Field("m", .timestamp(.milliseconds, .instant)), Field("lm", .timestamp(.milliseconds, .local)),
      Field("lu", .timestamp(.microseconds, .local), isNullable: false),
      Field("d1", .decimal(precision: 1, scale: 0), isNullable: false),
    ])
    #expect(try AvroSchema.parse(AvroSchema.text(of: schema, table: "t")) == schema)
  }

  @Test func smallIntegersBecomeInt() throws {
    let text = AvroSchema.text(of: Schema([Field("a", .int8), Field("b", .int16)]), table: "t")
    #expect(try AvroSchema.parse(text) == Schema([Field("a", .int32), Field("b", .int32)]))
  }

  @Test func decimalsTakeTheLeastBytes() {
    let sizes = (1...38).map { AvroSchema.decimalSize(precision: $0) }
    #expect(
      sizes == [
        1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13,
        14, 14, 15, 15, 16, 16, 16,
      ])
  }

  @Test func tableNamesAreSanitized() {
    #expect(AvroSchema.sanitized("cow-plain") == "cow__plain")
    #expect(AvroSchema.sanitized("9 lives") == "____lives")
    #expect(AvroSchema.sanitized("_a9é") == "_a9__")
  }

  @Test func schemasOfUsersAreTaken() throws {
    let text = """
      { "type": "record", "name": "com.shop.Order", "doc": "An order", "aliases": ["O"], "version": 3, "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}, "doc": "key"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["A", "B"]}, "default": "A"},
        {"name": "before", "type": ["State", "null"]},
        {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 4}]},
        {"name": "whole", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5}},
        {"name": "hash", "type": {"type": "fixed", "name": "MD5", "size": 16}},
        {"name": "hash2", "type": ["null", "com.shop.MD5"]},
        {"name": "to", "type": {"type": "record", "name": "Address", "fields": [{"name": "city", "type": "string"}]}},
        {"name": "from", "type": ["null", "Address"], "default": null},
        {"name": "names", "type": {"type": "array", "items": {"type": "string", "avro.java.string": "String"}}},
        {"name": "x", "type": {"type": {"type": "long"}}},
        {"name": "y", "type": ["int"]}
      ]}
      """
    let address = DataType.structure([Field("city", .string, isNullable: false)])
    #expect(
      try AvroSchema.parse(text)
        == Schema([
          Field("id", .string, isNullable: false), Field("state", .string, isNullable: false),
          Field("before", .string), Field("price", .decimal(precision: 12, scale: 4)),
          Field("whole", .decimal(precision: 5, scale: 0), isNullable: false),
          Field("hash", .binary, isNullable: false), Field("hash2", .binary),
          Field("to", address, isNullable: false), Field("from", address),
          Field("names", .list(Field("element", .string, isNullable: false)), isNullable: false),
          Field("x", .int64, isNullable: false), Field("y", .int32, isNullable: false),
        ]))
  }

  @Test(
    arguments: [
      ("a", #"["int","string"]"#), ("a", #"["null","int","string"]"#), ("a", #""null""#), ("a", #"[]"#),
      ("a", #"{"type":"int","logicalType":"time-millis"}"#),
      ("a", #"{"type":"bytes","logicalType":"decimal","precision":39}"#),
      ("a", #"{"type":"bytes","logicalType":"decimal","precision":3,"scale":4}"#),
      ("a", #"{"type":"fixed","name":"f"}"#), ("a", #""nothing""#), ("a", "7"), ("a", "{}"),
      ("a.element", #"{"type":"array","items":["int","long"]}"#), ("a", #"{"type":"array"}"#),
      ("a.value", #"{"type":"map","values":"nothing"}"#), ("a", #"{"type":"map"}"#),
      ("a.b", #"{"type":"record","name":"r","fields":[{"name":"b","type":"r"}]}"#),
      ("a.b", #"{"type":"record","name":"r","fields":[{"name":"b"}]}"#),
      (
        "a.b", #"{"type":"record","name":"r","fields":[{"name":"b","type":"int"},{"name":"b","type":"int"}]}"#
      ),
    ]) func whatAColumnCannotHoldIsRefusedByName(_ field: String, _ type: String)
  {
    let text = #"{"type":"record","name":"t","fields":[{"name":"a","type":\#(type)}]}"#
    let error = #expect(throws: AvroError.self) { try AvroSchema.parse(text) }
    #expect(error?.field == field)
  }

  @Test(arguments: [
    "", "{", "[]", "7", #""int""#, #"{"type":"array","items":"int"}"#, #"{"type":"record","name":"t"}"#,
  ])
  func whatIsNoRecordIsRefused(_ text: String) {
    let error = #expect(throws: AvroError.self) { try AvroSchema.parse(text) }
    #expect(error?.field == "")
  }

  @Test func referencesThatMultiplyAreRefused() {
    var fields: [String] = [
      #"{"name":"a0","type":{"type":"record","name":"r0","fields":[{"name":"x","type":"int"}]}}"#
    ]
    for level in 1...40 {
      let below = "r\(level - 1)"
      fields.append(
        #"{"name":"a\#(level)","type":{"type":"record","name":"r\#(level)","fields":[{"name":"x","type":"\#(below)"},{"name":"y","type":"\#(below)"}]}}"#
      )
    }
    let text = #"{"type":"record","name":"t","fields":[\#(fields.joined(separator: ","))]}"#
    let error = #expect(throws: AvroError.self) { try AvroSchema.parse(text) }
    #expect(error?.code == .unsupported)
  }
}
