import TarnAvro
import TarnBytes
import Testing

/// The error that a piece of work ends with.
func avroError(_ work: () throws(AvroError) -> Void) -> AvroError? {
  do { try work() } catch { return error }
  return nil
}

/// A schema with a type of every kind, some of them by name, and a value of it.
enum EveryType {
  static let schema = #"""
    {"type":"record","name":"Every","namespace":"t","doc":"d","aliases":["Old"],"fields":[
      {"name":"nothing","type":"null"},
      {"name":"flag","type":"boolean"},
      {"name":"small","type":{"type":"int","logicalType":"date"}},
      {"name":"great","type":"long"},
      {"name":"single","type":"float"},
      {"name":"twofold","type":"double"},
      {"name":"raw","type":"bytes"},
      {"name":"text","type":{"type":"string","avro.java.string":"String"}},
      {"name":"suit","type":{"type":"enum","name":"Suit","symbols":["SPADES","HEARTS"]}},
      {"name":"hash","type":{"type":"fixed","name":"Hash","namespace":"u","size":4}},
      {"name":"again","type":["null","u.Hash","Suit"]},
      {"name":"list","type":{"type":"array","items":["null","string","long"]}},
      {"name":"table","type":{"type":"map","values":{"type":"array","items":"int"}}},
      {"name":"node","type":["null",{"type":"record","name":"Node","fields":[
        {"name":"value","type":"long"},{"name":"next","type":["null","Node"],"default":null}]}]}
    ]}
    """#

  static func node(_ value: Int64, _ next: AvroValue) -> AvroValue {
    .record(AvroRecord("t.Node", [.init("value", .long(value)), .init("next", next)]))
  }

  static let value = AvroValue.record(
    AvroRecord(
      "t.Every",
      [
        .init("nothing", .null), .init("flag", .boolean(true)), .init("small", .int(.min)),
        .init("great", .long(.max)), .init("single", .float(-1.5)), .init("twofold", .double(.infinity)),
        .init("raw", .bytes([0, 255])), .init("text", .string("ünï")), .init("suit", .enumeration("HEARTS")),
        .init("hash", .fixed([1, 2, 3, 4])), .init("again", .enumeration("SPADES")),
        .init("list", .array([.null, .string(""), .long(-1)])),
        .init(
          "table",
          .map([.init("a", .array([.int(1), .int(2)])), .init("b", .array([])), .init("", .array([]))])),
        .init("node", node(1, node(2, .null))),
      ]))
}

@Suite struct AvroValueTests {
  private func encode(_ value: AvroValue, _ schema: String) throws -> [UInt8] {
    var out: [UInt8] = []
    try AvroEncoder(AvroLayout(parsing: schema)).append(value, to: &out)
    return out
  }

  private func decode(_ bytes: [UInt8], _ schema: String) throws(AvroError) -> AvroValue {
    let decoder = AvroDecoder(try AvroLayout(parsing: schema))
    var reader = ByteReader(bytes.span.bytes)
    let value = try decoder.value(from: &reader)
    var skipped = ByteReader(bytes.span.bytes)
    try decoder.skip(from: &skipped)
    #expect(skipped.offset == reader.offset)
    return value
  }

  @Test func valuesAreLaidOutAsTheSpecificationShows() throws {
    let schema =
      #"{"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}"#
    let record = AvroValue.record(AvroRecord("test", [.init("a", .long(27)), .init("b", .string("foo"))]))
    let bytes: [UInt8] = [0x36, 0x06, 0x66, 0x6f, 0x6f]
    #expect(try encode(record, schema) == bytes)
    #expect(try decode(bytes, schema) == record)
    let array = #"{"type":"array","items":"long"}"#
    #expect(try encode(.array([.long(3), .long(27)]), array) == [0x04, 0x06, 0x36, 0x00])
    #expect(try encode(.string("a"), #"["null","string"]"#) == [0x02, 0x02, 0x61])
    for (number, expected): (Int64, [UInt8]) in [(0, [0]), (-1, [1]), (-64, [0x7f]), (64, [0x80, 0x01])] {
      #expect(try encode(.long(number), #""long""#) == expected)
    }
  }

  @Test func valuesOfEveryTypeComeBack() throws {
    let bytes = try encode(EveryType.value, EveryType.schema)
    #expect(try decode(bytes, EveryType.schema) == EveryType.value)
    let decoder = AvroDecoder(try AvroLayout(parsing: EveryType.schema))
    var reader = ByteReader(bytes.span.bytes)
    let some = try decoder.record(from: &reader, fields: ["text", "node", "none"])
    #expect(reader.isAtEnd && some.fields.map(\.key) == ["text", "node"])
    #expect(try some.text("text") == "ünï")
    #expect(try some.record("node")?.whole("value") == 1)
    #expect(try some.text("flag") == nil)
    #expect(avroError { () throws(AvroError) in _ = try some.whole("text") }?.field == "text")
  }

  @Test func blocksMayTellTheirSize() throws {
    let array = #"{"type":"array","items":"long"}"#
    let map = #"{"type":"map","values":"int"}"#
    #expect(
      try decode([0x03, 0x04, 0x02, 0x04, 0x02, 0x06, 0x00], array)
        == .array([.long(1), .long(2), .long(3)]))
    #expect(try decode([0x01, 0x06, 0x02, 0x61, 0x02, 0x00], map) == .map([.init("a", .int(1))]))
    // One that tells another size, or more than there is, or the least count.
    for bytes: [UInt8] in [
      [0x03, 0x06, 0x02, 0x04, 0x02, 0x06, 0x00], [0x03, 0x40, 0x02, 0x04, 0x00],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00, 0x00],
    ] { #expect(avroError { () throws(AvroError) in _ = try decode(bytes, array) }?.code == .malformed) }
  }

  @Test func missingFieldsGetTheirDefaults() throws {
    let schema = #"""
      {"type":"record","name":"r","fields":[
        {"name":"a","type":["int","null"],"default":1},
        {"name":"b","type":["null","string"],"default":null},
        {"name":"c","type":{"type":"array","items":"string"},"default":["x"]},
        {"name":"d","type":{"type":"map","values":"bytes"},"default":{"k":"ÿ"}},
        {"name":"e","type":{"type":"record","name":"s","fields":[{"name":"f","type":"double","default":0.5}]},"default":{}},
        {"name":"g","type":"boolean"}]}
      """#
    let bytes = try encode(.record(["g": .boolean(true)]), schema)
    #expect(
      try decode(bytes, schema)
        == .record(
          AvroRecord(
            "r",
            [
              .init("a", .int(1)), .init("b", .null), .init("c", .array([.string("x")])),
              .init("d", .map([.init("k", .bytes([255]))])),
              .init("e", .record(AvroRecord("s", [.init("f", .double(0.5))]))), .init("g", .boolean(true)),
            ])))
    for (value, field): (AvroValue, String) in [
      (.record([:]), "g"), (.record(["g": .int(1)]), "g"), (.record(["g": .boolean(true), "h": .null]), "h"),
      (.record(["g": .boolean(true), "c": .array([.null])]), "c"), (.null, ""),
    ] {
      let error = avroError { () throws(AvroError) in
        var out: [UInt8] = []
        try AvroEncoder(AvroLayout(parsing: schema)).append(value, to: &out)
      }
      #expect(error?.code == .mismatch && error?.field == field, "\(value)")
    }
  }

  @Test(arguments: [
    "{", "3", #""nosuch""#, #"{"name":"x"}"#, #"{"type":"array"}"#, #"{"type":"map"}"#, #"[["null"]]"#,
    #"{"type":"enum","name":"e"}"#, #"{"type":"enum","name":"e","symbols":[1]}"#,
    #"{"type":"fixed","name":"f","size":-1}"#, #"{"type":"fixed","size":1}"#,
    #"{"type":"record","name":"r"}"#, #"{"type":"record","name":"r","fields":[{"name":"a"}]}"#,
    #"{"type":"record","name":"r","fields":[{"type":"int"}]}"#,
    #"{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
    #"[{"type":"fixed","name":"f","size":1},{"type":"fixed","name":"f","size":1}]"#,
  ])
  func whatIsNoSchemaIsRefused(text: String) {
    #expect(avroError { () throws(AvroError) in _ = try AvroLayout(parsing: text) }?.code == .malformed)
  }

  @Test func whatBytesDeclareIsNotBelieved() throws {
    let huge: [UInt8] = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
    let recursive = #"{"type":"record","name":"r","fields":[{"name":"next","type":["null","r"]}]}"#
    let endless = #"{"type":"record","name":"r","fields":[{"name":"self","type":"r"}]}"#
    let wide =
      (0..<40).reversed().reduce(#""null""#) {
        #"{"type":"record","name":"r\#($1)","fields":[{"name":"a","type":\#($0)},"#
          + #"{"name":"b","type":\#($1 == 39 ? #""null""# : #""r\#($1 + 1)""#)}]}"#
      }
    for (schema, bytes): (String, [UInt8]) in [
      (#"{"type":"array","items":"null"}"#, huge), (#"{"type":"array","items":"long"}"#, huge),
      (#"{"type":"map","values":"null"}"#, huge), (#""bytes""#, huge), (#""string""#, huge),
      (#""string""#, [0x01]), (#""string""#, [0x02, 0xff]), (#""int""#, huge), (#""boolean""#, [2]),
      (#"["null","int"]"#, [4]), (#"["null"]"#, [1]), (#""long""#, [UInt8](repeating: 0xff, count: 10)),
      (#"{"type":"enum","name":"e","symbols":["A"]}"#, [2]), (#"{"type":"fixed","name":"f","size":9}"#, [1]),
      (recursive, [UInt8](repeating: 2, count: 1_000)), (endless, []), (wide, []), (#""double""#, [1, 2]),
    ] {
      let error = avroError { () throws(AvroError) in _ = try decode(bytes, schema) }
      #expect(error?.code == .malformed && error?.offset != nil, "\(schema)")
      let skipping = avroError { () throws(AvroError) in
        var reader = ByteReader(bytes.span.bytes)
        try AvroDecoder(try AvroLayout(parsing: schema)).skip(from: &reader)
      }
      // Text is not looked at where it is passed over.
      if bytes != [0x02, 0xff] { #expect(skipping?.code == .malformed, "\(schema)") }
    }
  }

  @Test func damagedValuesAreReadOrRefused() throws {
    let bytes = try encode(EveryType.value, EveryType.schema)
    let decoder = AvroDecoder(try AvroLayout(parsing: EveryType.schema))
    for (damage, damaged) in Damage.all(of: bytes) {
      var reader = ByteReader(damaged.span.bytes)
      let value = try? decoder.value(from: &reader)
      if damage.isTruncation { #expect(value == nil, "\(damage)") }
      var skipped = ByteReader(damaged.span.bytes)
      if value != nil {
        #expect(throws: Never.self) { try decoder.skip(from: &skipped) }
        #expect(skipped.offset == reader.offset)
      } else {
        try? decoder.skip(from: &skipped)
      }
    }
  }
}

/// What is done to bytes that a parser must then read or refuse.
struct Damage: CustomStringConvertible {
  let offset: Int
  /// The byte that stands there now; nil where the bytes end there.
  let byte: UInt8?

  var isTruncation: Bool { byte == nil }
  var description: String { byte.map { "byte \(offset) is \($0)" } ?? "\(offset) bytes" }

  /// Bytes cut at every place, and with every byte changed in some ways.
  static func all(of bytes: [UInt8]) -> [(Damage, [UInt8])] {
    var found: [(Damage, [UInt8])] = []
    for offset in bytes.indices {
      found.append((Damage(offset: offset, byte: nil), Array(bytes[..<offset])))
      for byte in [bytes[offset] ^ 1, bytes[offset] ^ 0x80, ~bytes[offset], 0, 0xff]
      where byte != bytes[offset] {
        var changed = bytes
        changed[offset] = byte
        found.append((Damage(offset: offset, byte: byte), changed))
      }
    }
    return found
  }
}
