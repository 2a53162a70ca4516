import TarnAvro
import TarnBytes
import Testing

@Suite struct AvroContainerTests {
  private static let codecs: [AvroCodec] = [.null, .deflate, .snappy, .zstandard]

  @Test(arguments: codecs) func valuesComeBackWithEveryCodec(codec: AvroCodec) throws {
    for values in [[], [EveryType.value], [AvroValue](repeating: EveryType.value, count: 100)] {
      let bytes = try AvroContainer.bytes(of: values, schema: EveryType.schema, codec: codec)
      let container = try AvroContainer(bytes)
      #expect(container.schema == EveryType.schema)
      #expect(container.values == values)
      #expect(try AvroContainer.bytes(of: values, schema: EveryType.schema, codec: codec) == bytes)
    }
  }

  /// A file as Hudi writes it: no codec named, one block.
  @Test func theFramingIsHudis() throws {
    let bytes = try AvroContainer.bytes(of: [.long(1)], schema: #""long""#)
    let header: [UInt8] =
      [0x4f, 0x62, 0x6a, 1, 2, 22] + Array("avro.schema".utf8) + [12] + Array(#""long""#.utf8) + [0]
    #expect(Array(bytes[..<header.count]) == header)
    let marker = Array(bytes[header.count..<header.count + 16])
    #expect(Array(bytes[(header.count + 16)...]) == [2, 2, 2] + marker)
  }

  @Test func filesOfSeveralBlocksAreRead() throws {
    let one = try AvroContainer.bytes(of: [.long(1), .long(2)], schema: #""long""#)
    let header = 4 + 2 + 11 + 1 + 6 + 1 + 16
    let block = one[header...]
    #expect(try AvroContainer(one + block + block).values.count == 6)
    #expect(try AvroContainer(Array(one[..<header])).values.isEmpty)
    let empty = [0, 0] + one[(header - 16)..<header]
    #expect(try AvroContainer(Array(one[..<header]) + empty + block).values.count == 2)
  }

  @Test func otherCodecsAndMissingSchemasAreNamed() throws {
    let bytes = try AvroContainer.bytes(of: [.long(1)], schema: #""long""#, codec: .deflate)
    let name = try #require(bytes.firstRange(of: Array("deflate".utf8)))
    var other = bytes
    other.replaceSubrange(name, with: Array("brotli7".utf8))
    let error = avroError { () throws(AvroError) in _ = try AvroContainer(other) }
    #expect(error?.code == .unsupported && error?.message.contains("brotli7") == true)
    let key = try #require(bytes.firstRange(of: Array("avro.schema".utf8)))
    var without = bytes
    without.replaceSubrange(key, with: Array("avro.scheme".utf8))
    #expect(avroError { () throws(AvroError) in _ = try AvroContainer(without) }?.code == .malformed)
  }

  @Test(arguments: codecs) func damagedFilesAreReadOrRefused(codec: AvroCodec) throws {
    let schema =
      #"{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":["null","string"]}}]}"#
    let value = AvroValue.record(["a": .array([.string("text"), .null, .string("texttexttexttext")])])
    let bytes = try AvroContainer.bytes(of: [value], schema: schema, codec: codec)
    var whole = 0
    for (damage, damaged) in Damage.all(of: bytes) {
      if (try? AvroContainer(damaged)) != nil { whole += damage.isTruncation ? 1 : 0 }
    }
    // Of all cuts only the one behind the header leaves a file.
    #expect(whole == 1)
  }
}
