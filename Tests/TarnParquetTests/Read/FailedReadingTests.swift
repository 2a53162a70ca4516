import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

import TarnParquet

/// Readers of a file after an error, and in a task that is cancelled.
@Suite struct FailedReadingTests {
  private static let schema = Schema([Field("n", .int64), Field("s", .string)])

  private static func shelf() async throws -> Shelf {
    var numbers = ColumnBuilder(.int64)
    var texts = ColumnBuilder(.string)
    for row in 0..<1_000 {
      numbers.append(Int64(row * 7_919 % 1_009))
      try texts.append("text \(row)")
    }
    let batch = try RecordBatch(schema: schema, columns: [numbers.finish(), texts.finish()])
    let shelf = Shelf()
    _ = try await shelf.write([batch], schema, ParquetWriteOptions(rowGroupRows: 200, pageRows: 50))
    return shelf
  }

  /// Reads with small windows, so that there are many calls.
  private static func batches(_ file: ParquetFile, _ kind: Int) -> ParquetBatches {
    switch kind {
    case 0: file.batches(columns: [0, 1], rowsPerBatch: 64)
    case 1: file.batches(columns: [0, 1], rowsPerBatch: 64, readAhead: 0)
    default:
      file.batches(
        columns: [0, 1], rowsPerBatch: 30,
        selecting: (0..<5).map { RowSelection(group: $0, ranges: [10..<60, 120..<199]) })
    }
  }

  @Test(arguments: 0..<3) func batchesThatFailedStayFailed(kind: Int) async throws {
    let shelf = try await Self.shelf()
    let counted = FaultStorage(wrapping: shelf.storage)
    var all = 0
    for try await batch in Self.batches(try await ParquetFile.open(counted, path: shelf.path), kind) {
      all += batch.count
    }
    var failures = 0
    for call in 1...counted.callCount {
      let faulty = FaultStorage(wrapping: shelf.storage, crashAtCall: call, staysDown: false)
      guard let file = try? await ParquetFile.open(faulty, path: shelf.path) else { continue }
      var iterator = Self.batches(file, kind).makeAsyncIterator()
      var rows = 0
      var errors = 0
      while errors < 3 {
        do {
          guard let batch = try await iterator.next(isolation: nil) else { break }
          #expect(errors == 0, "rows behind an error")
          rows += batch.count
        } catch {
          #expect(error.code == .storage)
          errors += 1
        }
      }
      guard faulty.hasFailed else { continue }
      failures += 1
      #expect(errors == 3 && rows < all, "call \(call): \(rows) rows, \(errors) errors")
    }
    #expect(failures > 2)
  }

  @Test(arguments: 0..<3) func batchesOfACancelledTaskEnd(kind: Int) async throws {
    let shelf = try await Self.shelf()
    let file = try await shelf.open()
    let code = await Task { () -> ParquetError.Code? in
      var iterator = Self.batches(file, kind).makeAsyncIterator()
      do throws(ParquetError) {
        let first = try await iterator.next(isolation: nil)
        #expect(first != nil)
        withUnsafeCurrentTask { $0?.cancel() }
        while try await iterator.next(isolation: nil) != nil { Issue.record("it read on") }
        return nil
      } catch { return error.code }
    }.value
    #expect(code == .cancelled)
  }

  @Test func otherReadersOfACancelledTaskEndToo() async throws {
    let shelf = try await Self.shelf()
    let file = try await shelf.open()
    typealias Work = @Sendable () async throws -> Void
    let works: [(String, Work)] = [
      ("open", { _ = try await shelf.open() }),
      ("check", { _ = try await ParquetCheck.run(file) }),
      ("row group", { _ = try await file.readRowGroup(0, columns: [0, 1]) }),
      ("rows", { _ = try await file.readRows([3, 150], inGroup: 1, columns: [1]) }),
      ("page statistics", { _ = try await file.pageStatistics(group: 0, column: 0) }),
    ]
    for (name, work) in works {
      let code = await Task { () -> ParquetError.Code? in
        withUnsafeCurrentTask { $0?.cancel() }
        do { try await work() } catch let error as ParquetError { return error.code } catch {
          Issue.record(error)
        }
        return nil
      }.value
      #expect(code == .cancelled, "\(name)")
    }
    #expect(try await ParquetCheck.run(file).findings.isEmpty)
  }

  @Test func textThatIsNotUTF8IsFound() async throws {
    for choice in [ParquetWriteOptions.EncodingChoice.plain, .dictionary] {
      var strings = ByteStrings()
      for row in 0..<40 {
        let bytes = row == 27 ? [0x61, 0xff] : Array("é\(row)".utf8)
        try strings.append(bytes.span.bytes)
      }
      let types = [("s", DataType.string), ("b", .binary)]
      let schema = Schema(types.map { Field($0, $1) })
      let batch = try RecordBatch(
        schema: schema, columns: try types.map { try Column(type: $1, values: .bytes(strings)) })
      let shelf = Shelf()
      _ = try await shelf.write([batch], schema, ParquetWriteOptions(pageRows: 20, encodings: ["s": choice]))
      let findings = try await ParquetCheck.run(try await shelf.open()).findings
      #expect(findings.map(\.column) == ["s"] && findings.map(\.page) == [1])
      #expect(findings.first?.message.contains("value 7 is not UTF-8") == true)
    }
    let folder = try TestWorld.requireShared("faults")
    let file = try await ParquetFile.open(
      LocalStorage(root: folder), path: "invalid_utf8_nonkey.parquet")
    #expect(try await ParquetCheck.run(file).findings.contains { $0.message.contains("not UTF-8") })
  }
}
