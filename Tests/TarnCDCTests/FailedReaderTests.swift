import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

/// A reader of records that has met an error, or whose task was cancelled.
@Suite struct FailedReaderTests {
  private static func storage(_ files: [String]) async throws -> (InMemoryStorage, [String]) {
    let storage = InMemoryStorage()
    var paths: [String] = []
    for (number, text) in files.enumerated() {
      paths.append("\(number).jsonl")
      try await storage.put(Array(text.utf8), at: paths[number], if: .always)
    }
    return (storage, paths)
  }

  private static func record(_ number: Int) -> String { change(id: "\(number)", new: "\"n\":{\"N\":\"1\"}") }

  @Test func aReaderThatFailedStaysFailed() async throws {
    let texts = (0..<3).map { file in (0..<4).map { Self.record(file * 4 + $0) }.joined(separator: "\n") }
    let (inner, paths) = try await Self.storage(texts)
    var options = RecordReader.Options()
    options.chunk = 300
    let counted = FaultStorage(wrapping: inner)
    var whole = RecordReader(storage: counted, paths: paths, options: options)
    var builder = try RecordReaderTests.builder()
    #expect(try await whole.read(into: &builder, limit: .max) == false)
    #expect(builder.counts.records == 12)
    for call in 1...counted.callCount {
      let faulty = FaultStorage(wrapping: inner, crashAtCall: call, staysDown: false)
      var reader = RecordReader(storage: faulty, paths: paths, options: options)
      var builder = try RecordReaderTests.builder()
      var taken = 0
      for attempt in 0..<3 {
        do {
          _ = try await reader.read(into: &builder, limit: .max)
          Issue.record("call \(call), attempt \(attempt): it read on")
        } catch {
          guard error.code == .storage else {
            Issue.record(error)
            continue
          }
          if attempt == 0 { taken = builder.counts.records }
        }
      }
      #expect(builder.counts.records == taken && taken < 12)
    }
  }

  @Test func aRecordThatIsNotTakenEndsTheReading() async throws {
    let (storage, paths) = try await Self.storage([Self.record(1) + "\nnonsense\n" + Self.record(2)])
    var reader = RecordReader(storage: storage, paths: paths)
    var builder = try RecordReaderTests.builder()
    var rejections = 0
    var taken: [Int] = []
    for _ in 0..<2 {
      do throws(ChangeError) { _ = try await reader.read(into: &builder, limit: .max) } catch {
        if error.code == .rejected { rejections += 1 }
      }
      taken.append(builder.counts.records)
    }
    #expect(rejections == 2)
    // Where the broken record ends, the record behind it tells.
    #expect(taken[0] == taken[1] && taken[0] <= 2)
  }

  /// Records that were taken before the task was cancelled; -1 where reading went on, -2 for another error.
  private static func recordsOfACancelledTask() async throws -> Int {
    let (storage, paths) = try await storage((0..<3).map { record($0) })
    var reader = RecordReader(storage: storage, paths: paths)
    var builder = try RecordReaderTests.builder()
    _ = try await reader.read(into: &builder, limit: 1)
    withUnsafeCurrentTask { $0?.cancel() }
    do throws(ChangeError) { _ = try await reader.read(into: &builder, limit: .max) } catch {
      if error.code == .cancelled { return builder.counts.records }
      return -2
    }
    return -1
  }

  @Test func aCancelledTaskReadsNoFurther() async throws {
    #expect(try await Task { try await Self.recordsOfACancelledTask() }.value == 1)
  }
}
