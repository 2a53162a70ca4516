import Foundation
import TarnCDC

/// Answers to a delivery stream's transformation events, on one thread.
enum TransformationTask {
  /// How many records an event has.
  private static let eventRecords = 500

  /// Answers the events of a file's records, so many times.
  ///
  /// - Returns: The least time that the answers took, in seconds, without the making of the events.
  static func run(file: String, records: Int, repeats: Int) throws -> Double {
    var best = Double.infinity
    for _ in 0..<repeats { best = min(best, try answer(file, records)) }
    return best
  }

  private static func answer(_ file: String, _ records: Int) throws -> Double {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
    var (waiting, rest, count, taken) = ([[UInt8]](), [UInt8](), 0, 0.0)
    let transformation = FirehoseTransformation()
    func answer() throws {
      let event = event(waiting)
      let begin = ChangesTask.processorTime()
      let answer = try transformation.response(to: event)
      taken += ChangesTask.processorTime() - begin
      guard answer.changes == waiting.count, answer.failures.isEmpty else {
        throw UsageError("\(answer.failures.count) records failed")
      }
      waiting = []
    }
    while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
      rest += data
      var start = 0
      while let end = rest[start...].firstIndex(of: 0x0a) {
        waiting.append(Array(rest[start...end]))
        count += 1
        start = end + 1
        if waiting.count == eventRecords { try answer() }
      }
      rest.removeSubrange(..<start)
    }
    if !waiting.isEmpty { try answer() }
    guard count == records else { throw UsageError("\(file) has \(count) records") }
    return taken
  }

  /// An event as a delivery stream sends it.
  private static func event(_ records: [[UInt8]]) -> [UInt8] {
    var out = Array(
      #"{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:eu-central-1:1:deliverystream/s","region":"eu-central-1","records":["#
        .utf8)
    for (number, record) in records.enumerated() {
      let id = String(number)
      out += (number > 0 ? "," : "").utf8
      out +=
        #"{"recordId":"\#(String(repeating: "0", count: 56 - id.count) + id)","approximateArrivalTimestamp":1705312801000,"data":""#
        .utf8
      out += Data(record).base64EncodedData()
      out += #""}"#.utf8
    }
    out += "]}".utf8
    return out
  }
}
