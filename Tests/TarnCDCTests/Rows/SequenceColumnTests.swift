import Foundation
import TarnCDC
import TarnColumns
import Testing

/// The event column of sequence numbers, in whose order as text the numbers are.
@Suite("Sequence numbers as a column") struct SequenceColumnTests {
  private static func builder() throws -> ChangeBatchBuilder {
    try ChangeBatchBuilder(
      schema: Schema([Field("id", .string)] + EventColumn.fields), keyFields: ["id"])
  }

  private static func column(_ text: String) throws -> [String] {
    var builder = try builder()
    try builder.append(Array(text.utf8))
    return try builder.finish().rows.texts(EventColumn.sequence)
  }

  private static func streams(_ number: String) -> String {
    #"{"eventName":"INSERT","dynamodb":{"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"}},"SequenceNumber":"\#(number)"}}"#
  }

  private static func kinesis(_ number: String, place: Int? = nil) -> String {
    let data = Data(change(new: "").utf8).base64EncodedString()
    let metadata =
      "\"sequenceNumber\":\"\(number)\"" + (place.map { ",\"subsequenceNumber\":\($0)" } ?? "")
    return "{\"records\":[{\"recordId\":\"r\",\"data\":\"\(data)\",\"kinesisRecordMetadata\":{\(metadata)}}]}"
  }

  @Test("Numbers of DynamoDB Streams have 40 digits, those of Kinesis 56, and a place in an aggregate")
  func widths() throws {
    let zeros = { (count: Int) in String(repeating: "0", count: count) }
    #expect(try Self.column(Self.streams("7")) == [zeros(39) + "7"])
    #expect(try Self.column(Self.kinesis("7")) == [zeros(55) + "7"])
    #expect(try Self.column(Self.kinesis("7", place: 12)) == [zeros(55) + "7-0000000012"])
    #expect(try Self.column(change(new: "")) == ["null"])
    // What a function passed on keeps its form.
    let own = zeros(55) + "7-0000000012"
    #expect(
      try Self.column(#"{"event_name":"INSERT","id":"1","event_sequence":"\#(own)"}"#) == [own])
  }

  @Test("As text they are in the order of the numbers")
  func order() throws {
    let numbers = [
      "9", "10", "99", "100", "13021600000000001596893679", "49590338271490256608559692538361571095",
    ]
    let texts = try numbers.flatMap { try Self.column(Self.streams($0)) }
    #expect(texts == texts.sorted())
    let places = try [0, 2, 9, 10, 100].flatMap { try Self.column(Self.kinesis("5", place: $0)) }
    #expect(places == places.sorted())
  }

  @Test("A number of more digits than any stream has is refused, and zeros before it are not")
  func tooLong() throws {
    let long = String(repeating: "1", count: 57)
    #expect(throws: ChangeError.self) { try Self.column(Self.streams(long)) }
    let padded = String(repeating: "0", count: 30) + String(repeating: "1", count: 56)
    #expect(try Self.column(Self.streams(padded)) == [String(padded.suffix(56))])
  }

  @Test("Times of whole seconds and finer ones are counted")
  func precisions() throws {
    var builder = try Self.builder()
    let coarse =
      #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1705312800,"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"}}}}"#
    try builder.append(Array((coarse + change(new: "") + change(new: "")).utf8))
    #expect(builder.counts.timesInSeconds == 1)
    #expect(builder.counts.finerTimes == 2)
  }
}
