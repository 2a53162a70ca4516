import Foundation
import TarnAvro
import TarnBytes
import TarnLogs
import TarnStorage
import TarnTestSupport
import Testing

/// The logs of tables that Spark wrote, those of their metadata tables among them.
@Suite struct SparkLogTests {
  @Test(arguments: ["golden", "spark-tables"]) func everyBlockAndRecordIsRead(folder: String) async throws {
    let root = try TestWorld.requireShared(folder)
    let storage = LocalStorage(root: root)
    var counts: [LogBlock.Kind: Int] = [:]
    var records = 0
    var layouts: [String: AvroLayout] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
      let name = path.split(separator: "/").last ?? ""
      guard name.hasPrefix("."), name.contains(".log."), !name.hasSuffix(".crc") else { continue }
      var reader = try await LogReader.open(storage, path: path)
      while let block = try await reader.nextBlock() {
        counts[block.kind, default: 0] += 1
        #expect(block.instant?.isEmpty == false)
        switch block.kind {
        case .avro, .changes:
          let schema = try #require(block.schema)
          let layout = try layouts[schema] ?? AvroLayout(parsing: schema)
          layouts[schema] = layout
          try await reader.beginRecords(of: block)
          while try await reader.nextRecord() {
            var cursor = ByteReader(reader.record)
            let value = try AvroDecoder(layout).value(from: &cursor)
            let isWhole = cursor.isAtEnd
            #expect(isWhole)
            var written: [UInt8] = []
            try AvroEncoder(layout).append(value, to: &written)
            #expect(written == reader.record.copied(), "\(path)")
            records += 1
          }
        case .parquet:
          let content = try await reader.content(of: block)
          #expect(content.starts(with: Array("PAR1".utf8)) && content.suffix(4) == Array("PAR1".utf8)[...])
        case .command: #expect(block.header[.command] == "0" && block.header[.targetInstant] != nil)
        case .corrupt: Issue.record("\(path) has bytes that are no block")
        case .delete, .hfile: #expect(block.content.count > 0)
        }
      }
    }
    #expect(records > 5 && counts.count > 3, "\(counts), \(records) records")
  }
}
