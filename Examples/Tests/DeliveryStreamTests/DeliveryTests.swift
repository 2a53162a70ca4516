import Foundation
import RuntimeStandIn
import TarnCDC
import Testing

@testable import DeliveryStream

@Suite struct DeliveryTests {
  /// What a delivery wrote.
  private final class Objects {
    var objects: [(path: String, bytes: [UInt8])] = []
  }

  /// 2024-01-15T10:59:58Z.
  private let start: Int64 = 1_705_316_398_000

  private func change(_ id: Int) -> Data {
    Data(
      """
      {"eventID":"e\(id)","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1705312800000001,\
      "Keys":{"id":{"N":"\(id)"}},"NewImage":{"id":{"N":"\(id)"},"k":{"S":"p\(id % 2)"}}}}
      """.utf8)
  }

  /// The transformation, in this process.
  private func transform(_ event: [UInt8]) throws -> RuntimeStandIn.Outcome {
    let answer = try FirehoseTransformation().response(to: event) {
      (record, text, output) throws(RejectionReason) in
      try output.appendLine(record, in: text)
      output.partitionKeys["k"] = record.attribute("k", in: text)
    }
    return .answer(answer.bytes)
  }

  private func delivery(
    _ settings: Settings, to objects: Objects, function: Delivery.Function? = nil
  ) -> Delivery {
    Delivery(settings, function: function ?? { try transform($0) }) { path, bytes in
      objects.objects.append((path, bytes))
    }
  }

  /// The ids of the change records of an object, and of its failed records.
  private func ids(_ bytes: [UInt8]) throws -> [String] {
    var ids: [String] = []
    try ChangeRecords.read(bytes) { _ in
    } each: { record, text in
      ids.append(record.attribute("id", in: text) ?? "")
    }
    return ids
  }

  @Test("Objects are compressed, named by the oldest record's hour, and read back")
  func objects() throws {
    let objects = Objects()
    var delivery = delivery(Settings(), to: objects)
    for id in 0..<10 { try delivery.take(change(id), now: start + Int64(id) * 1_000) }
    #expect(objects.objects.isEmpty)
    try delivery.end(now: start + 10_000)
    #expect(delivery.counts.objects == 2)
    for object in objects.objects {
      #expect(object.path.hasPrefix("2024/01/15/10/stream-1-2024-01-15-10-59-"), "\(object.path)")
      #expect(object.path.hasSuffix(".gz"))
      #expect(object.bytes.starts(with: [0x1f, 0x8b]))
    }
    #expect(
      try objects.objects.flatMap { try ids($0.bytes) }.compactMap { Int($0) }.sorted() == Array(0..<10))
  }

  @Test("Records wait for the function and for their object by size and by time")
  func buffers() throws {
    let objects = Objects()
    var settings = Settings()
    settings.functionBuffer = change(1).count * 3
    settings.prefix = "raw/!{partitionKeyFromLambda:k}/!{timestamp:yyyy'y'MM}/"
    var calls: [Int] = []
    var delivery = delivery(settings, to: objects) { event in
      calls.append(try JSONDecoder().decode(TransformAnswerCount.self, from: Data(event)).records.count)
      return try transform(event)
    }
    for id in 0..<4 { try delivery.take(change(id), now: start) }
    #expect(calls == [3])
    try delivery.tick(now: start + settings.functionInterval - 1)
    #expect(calls == [3])
    try delivery.tick(now: start + settings.functionInterval)
    #expect(calls == [3, 1])
    #expect(objects.objects.isEmpty)
    try delivery.tick(now: start + settings.interval)
    #expect(objects.objects.map { $0.path.prefix(16) }.sorted() == ["raw/p0/2024y01/s", "raw/p1/2024y01/s"])

    settings.buffer = 1
    var eager = self.delivery(settings, to: objects)
    try eager.take(change(7), now: start)
    try eager.end(now: start)
    #expect(eager.counts.objects == 1)
  }

  private struct TransformAnswerCount: Decodable {
    struct Record: Decodable {}

    var records: [Record]
  }

  @Test("Failed records go to the error prefix, from which they are read again")
  func failures() throws {
    let objects = Objects()
    var delivery = delivery(Settings(), to: objects)
    try delivery.take(Data("not json".utf8), now: start)
    try delivery.take(change(1), now: start)
    try delivery.end(now: start)
    #expect(delivery.counts == .init(records: 2, transformed: 1, dropped: 0, failed: 1, objects: 2))
    let failed = try #require(
      objects.objects.first { $0.path.hasPrefix("processing-failed/2024/01/15/10/stream-1-") })
    #expect(!failed.path.hasSuffix(".gz"))
    var reasons: [String] = []
    try ChangeRecords.read(failed.bytes) { record in
      reasons.append(String(decoding: record.bytes, as: UTF8.self))
    } each: { _, _ in
    }
    #expect(reasons == ["not json"])
  }

  @Test("A function that fails is asked again, and then its records have failed")
  func retries() throws {
    let objects = Objects()
    var calls = 0
    var delivery = delivery(Settings(), to: objects) { event in
      calls += 1
      return calls < 3 || calls > 3 ? .failure(type: "x", body: "{}") : try transform(event)
    }
    try delivery.take(change(1), now: start)
    try delivery.end(now: start)
    #expect(calls == 3)
    #expect(delivery.counts.transformed == 1)
    try delivery.take(change(2), now: start)
    try delivery.end(now: start)
    #expect(calls == 7)
    #expect(delivery.counts.failed == 1)
    let failed = try #require(objects.objects.first { $0.path.hasPrefix("processing-failed/") })
    #expect(String(decoding: failed.bytes, as: UTF8.self).contains("\"attemptsMade\":4"))
    #expect(try ids(failed.bytes) == ["2"])
  }

  @Test("An answer that lacks a record, or has it twice, is a failure of that record")
  func mismatch() throws {
    let objects = Objects()
    var delivery = delivery(Settings(), to: objects) { _ in
      .answer(
        Array(
          #"{"records":[{"recordId":"1-0","result":"Dropped"},{"recordId":"1-1","result":"Ok","data":""},"#
            .utf8)
          + Array(#"{"recordId":"1-1","result":"Ok","data":""}]}"#.utf8))
    }
    for id in 0..<3 { try delivery.take(change(id), now: start) }
    try delivery.end(now: start)
    #expect(delivery.counts.dropped == 1)
    #expect(delivery.counts.failed == 2)
    #expect(try ids(try #require(objects.objects.first).bytes) == ["1", "2"])
  }
}
