import DynamoDBJSON
import Foundation
import TarnCDC
import TarnColumns

/// Texts that inputs are, or stand in.
struct TextTarget: FuzzedInputs {
  /// What an input is.
  enum Kind: String {
    /// A JSON text, for the scanner.
    case json
    /// Change records, and what carries them.
    case records
    /// The message of an aggregated record, to which its magic and a right checksum are added.
    case aggregate
  }

  let kind: Kind

  /// Writes small texts of every kind of value, shape and envelope.
  func writeSeeds(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (index, seed) in seeds.enumerated() {
      try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(index)"))
    }
  }

  func run(_ input: [UInt8]) async {
    let isTaken: Bool
    switch kind {
    case .json: isTaken = Self.takesJSON(input)
    case .records: isTaken = Self.takesRecords(input)
    case .aggregate: isTaken = Self.takesRecords(Self.event(around: input))
    }
    #if PLANTED_FAULT
      PlantedFault.check(input, isTaken: isTaken, seeds: seeds)
    #else
      _ = isTaken
    #endif
  }

  // MARK: Taking

  /// Goes through plain JSON and DynamoDB's; what is taken once must be taken as it was written then.
  private static func takesJSON(_ input: [UInt8]) -> Bool {
    let plain = try? PlainJSON.canonical.unmarshall(input)
    if let plain { precondition((try? PlainJSON.canonical.marshall(plain)) != nil, "no JSON was written") }
    let marshalled = try? PlainJSON.canonical.marshall(input)
    if let marshalled {
      precondition((try? PlainJSON.canonical.unmarshall(marshalled)) != nil, "no item was written")
    }
    var record = ChangeRecord()
    let isRecord = (try? record.scan(input.span.bytes)) != nil
    return plain != nil || marshalled != nil || isRecord
  }

  private static let schema = Schema(
    [
      Field("id", .string), Field("n", .decimal(precision: 20, scale: 3)), Field("b", .binary),
      Field("f", .boolean), Field("m", .string), Field("t", .timestamp(.microseconds, .instant)),
    ] + EventColumn.fields)

  /// Takes change records in every way; tells whether there were any.
  private static func takesRecords(_ input: [UInt8]) -> Bool {
    var count = 0
    for shape in [nil] + ChangeShape.allCases.map(Optional.some) {
      try? ChangeRecords.read(input, shape: shape) { _ throws(ChangeError) in
      } each: { record, text in
        count += 1
        _ = record.eventID(in: text)
        _ = record.tableName(in: text)
        _ = record.sequenceNumber(in: text)
        _ = record.userIdentity(in: text)
      }
    }
    var inference = SchemaInference(.changeRecords)
    try? inference.append(input) { _ throws(ChangeError) in }
    _ = (inference.schema, inference.warnings)
    if var builder = try? ChangeBatchBuilder(
      schema: schema, keyFields: ["id"], partitionFields: ["f"], keepsNewValues: true)
    {
      try? builder.append(input) { _ throws(ChangeError) in }
      if let batch = try? builder.finish() { _ = builder.completed([batch]) }
    }
    return count > 0
  }

  /// A Kinesis event with an aggregated record of a message.
  private static func event(around message: [UInt8]) -> [UInt8] {
    let frame = [0xf3, 0x89, 0x9a, 0xc2] + message + Checksum.md5(message)
    return Array("{\"Records\":[{\"kinesis\":{\"data\":\"\(Data(frame).base64EncodedString())\"}}]}".utf8)
  }

  // MARK: Texts to begin with

  private var seeds: [[UInt8]] {
    switch kind {
    case .json: Self.texts.map { Array($0.utf8) }
    case .records: (Self.records + Self.envelopes).map { Array($0.utf8) }
    case .aggregate: [Self.message(Self.records.map { Array($0.utf8) }), Self.message([]), [0x08, 0x01]]
    }
  }

  private static let texts = [
    #"{"s":{"S":"é\u00e9\ud83d\ude00\n"},"n":{"N":"-12.50e3"},"l":{"L":[{"NULL":true},{"BOOL":false}]}}"#,
    #"{"m":{"M":{"a":{"SS":["a","b"]},"b":{"NS":["1"]},"c":{"BS":["AQ=="]},"d":{"B":"AAH+/w=="}}}}"#,
    #"{"a":[1,-0.5e-7,true,null,"x",{"b":{}}]}"#, "{}",
  ]

  private static let records = [
    #"{"eventName":"MODIFY","eventID":"e","tableName":"T","userIdentity":{"type":"Service","principalId":"p"},"#
      + #""dynamodb":{"ApproximateCreationDateTime":1700000000,"SequenceNumber":"12","Keys":{"id":{"S":"1"}},"#
      + #""NewImage":{"id":{"S":"1"},"n":{"N":"1.5"},"f":{"BOOL":true}},"OldImage":{"id":{"S":"1"},"f":{"BOOL":false}}}}"#,
    #"{"Item":{"id":{"S":"1"},"m":{"M":{"a":{"N":"1"}}},"b":{"B":"AQ=="}}}"#,
    #"{"Metadata":{"WriteTimestampMicros":{"N":"17"}},"Keys":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}}}"#,
    #"{"schema":{},"payload":{"op":"u","before":{"id":"1"},"after":{"id":"1","n":2},"source":{"ts_us":17}}}"#,
    #"{"Op":"I","id":"1","n":1.25,"t":"2024-01-31T12:00:00Z"}"#,
    #"{"event_name":"REMOVE","event_id":"e","event_time":17.5,"event_sequence":"1","id":"1"}"#,
  ]

  private static var envelopes: [String] {
    let data = records.prefix(2).map { Data($0.utf8).base64EncodedString() }
    return [
      "{\"Records\":[{\"kinesis\":{\"data\":\"\(data[0])\",\"sequenceNumber\":\"4\"}},\(records[0])]}",
      "{\"records\":[{\"recordId\":\"r\",\"data\":\"\(data[1])\",\"kinesisRecordMetadata\":{\"subsequenceNumber\":1}}]}",
      "{\"attemptsMade\":1,\"rawData\":\"\(data[1])\"}",
      records.joined() + "x" + records.joined(separator: "\n"),
    ]
  }

  /// A message with records of some data.
  private static func message(_ data: [[UInt8]]) -> [UInt8] {
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
      [number << 3 | 2, UInt8(bytes.count & 0x7f | 0x80), UInt8(bytes.count >> 7)] + bytes
    }
    return field(1, Array("key".utf8)) + data.flatMap { field(3, [0x08, 0x00] + field(3, $0)) }
  }
}

/// MD5 once more, since the library's own is not for others.
private enum Checksum {
  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
  private static let sines = (1...64).map { UInt32(abs(sin(Double($0))) * 4_294_967_296) }

  static func md5(_ bytes: [UInt8]) -> [UInt8] {
    var padded = bytes + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    for byte in 0..<8 { padded.append(UInt8(truncatingIfNeeded: (bytes.count * 8) >> (8 * byte))) }
    var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
    for block in stride(from: 0, to: padded.count, by: 64) {
      let words = (0..<16).map { word in
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(padded[block + 4 * word + $1]) << UInt32(8 * $1) }
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      for step in 0..<64 {
        let (mixed, word) =
          switch step / 16 {
          case 0: ((b & c) | (~b & d), step)
          case 1: ((d & b) | (~d & c), (5 * step + 1) % 16)
          case 2: (b ^ c ^ d, (3 * step + 5) % 16)
          default: (c ^ (b | ~d), 7 * step % 16)
          }
        let sum = a &+ mixed &+ sines[step] &+ words[word]
        let shift = shifts[step / 16 * 4 + step % 4]
        (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
      }
      for (index, part) in [a, b, c, d].enumerated() { state[index] &+= part }
    }
    return state.flatMap { part in (0..<4).map { UInt8(truncatingIfNeeded: part >> (8 * $0)) } }
  }
}
