import TarnLogs
import TarnTestSupport
import Testing

@Suite struct LogWriterTests {
  @Test func whatIsWrittenIsReadAndIsInHudisForm() async throws {
    let records: [[UInt8]] = [[1, 2, 3], [], [4]]
    var writer = LogWriter()
    writer.append(records: records, schema: LogReaderTests.schema)
    writer.append(.command, header: [(.instant, "1"), (.command, "0")], content: [])
    var expected = LogBytes()
    expected.append(
      kind: 3, header: [(2, LogReaderTests.schema)], content: LogBytes.content(of: records))
    expected.append(kind: 0, header: [(0, "1"), (3, "0")], content: [])
    #expect(writer.bytes == expected.bytes)
    let read = try await LogReaderTests.read(writer.bytes)
    #expect(read.kinds == [.avro, .command] && read.records == records && read.error == nil)
  }
}
