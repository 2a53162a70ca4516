import TarnBytes
import TarnLogs
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct LogReaderTests {
  static let schema = #"{"type":"string"}"#

  /// What a reader says of a file: blocks and records, and the error with which it ends.
  struct Account: Equatable {
    var kinds: [LogBlock.Kind] = []
    var ranges: [Range<Int>] = []
    var records: [[UInt8]] = []
    var error: LogError.Code?
  }

  static func read(_ bytes: [UInt8]) async throws -> Account {
    let storage = InMemoryStorage()
    try await storage.put(bytes, at: "log", if: .always)
    var account = Account()
    do throws(LogError) {
      var reader = try await LogReader.open(storage, path: "log")
      while let block = try await reader.nextBlock() {
        account.kinds.append(block.kind)
        account.ranges.append(block.range)
        guard block.kind == .avro else { continue }
        try await reader.beginRecords(of: block)
        while try await reader.nextRecord() { account.records.append(reader.record.copied()) }
      }
    } catch { account.error = error.code }
    return account
  }

  /// Two blocks of records with a command between them.
  static func sample(_ records: [[UInt8]] = [[1, 2, 3], [], [4]]) -> (file: LogBytes, ends: [Int]) {
    var file = LogBytes()
    var ends: [Int] = []
    for kind: UInt32 in [3, 0, 3] {
      if kind == 3 {
        file.append(kind: 3, header: [(2, schema), (0, "1")], content: LogBytes.content(of: records))
      } else {
        file.append(kind: 0, header: [(0, "2"), (3, "0"), (1, "1")], content: [])
      }
      ends.append(file.bytes.count)
    }
    return (file, ends)
  }

  /// The rollback block of a table that Spark wrote: part B of the format, section 1.7.
  @Test func aBlockIsFramedAsSparkFramesIt() async throws {
    var file = LogBytes()
    file.append(
      kind: 0, header: [(0, "20250126040936578"), (3, "0"), (1, "20250126040826878")], content: [])
    #expect(file.bytes.count == 105)
    #expect(Array(file.bytes[6..<14]) == [0, 0, 0, 0, 0, 0, 0, 0x5b])
    #expect(Array(file.bytes.suffix(12)) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x61])
    let storage = InMemoryStorage()
    try await storage.put(file.bytes, at: "log", if: .always)
    var reader = try await LogReader.open(storage, path: "log")
    let first = try await reader.nextBlock()
    let block = try #require(first)
    #expect(block.kind == .command && block.range == 0..<105 && block.content.isEmpty)
    #expect(block.instant == "20250126040936578" && block.schema == nil)
    #expect(
      block.header == [.instant: "20250126040936578", .command: "0", .targetInstant: "20250126040826878"])
    let end = try await reader.nextBlock()
    #expect(end == nil)
    let again = try await reader.nextBlock()
    #expect(again == nil)
  }

  @Test func blocksAndRecordsAreReadInTheirOrder() async throws {
    let (file, ends) = Self.sample()
    let account = try await Self.read(file.bytes)
    #expect(account.kinds == [.avro, .command, .avro])
    #expect(account.ranges == [0..<ends[0], ends[0]..<ends[1], ends[1]..<ends[2]])
    #expect(account.records == [[1, 2, 3], [], [4], [1, 2, 3], [], [4]])
    #expect(account.error == nil)
    #expect(try await Self.read([]) == Account())
  }

  @Test func blocksAndRecordsLargerThanTheWindowAreRead() async throws {
    let records = [300_000, 5, 0, 1_000_000, 262_144].map { [UInt8](repeating: UInt8($0 & 0x7f), count: $0) }
    let (file, _) = Self.sample(records)
    #expect(try await Self.read(file.bytes).records == records + records)
    var wide = LogBytes()
    let schema = #"{"type":"string","doc":"\#(String(repeating: "x", count: 1_000_000))"}"#
    wide.append(kind: 3, header: [(2, schema)], content: LogBytes.content(of: [[7]]))
    wide.append(kind: 5, header: [(0, "1")], content: [UInt8](repeating: 9, count: 700_000))
    let storage = InMemoryStorage()
    try await storage.put(wide.bytes, at: "log", if: .always)
    var reader = try await LogReader.open(storage, path: "log")
    let first = try await reader.nextBlock()
    #expect(first?.schema == schema)
    let second = try await reader.nextBlock()
    let block = try #require(second)
    let content = try await reader.content(of: block)
    #expect(block.kind == .parquet && content == [UInt8](repeating: 9, count: 700_000))
    await #expect(throws: LogError.self) { try await reader.content(of: block, limit: 10) }
    await #expect(throws: LogError.self) { try await reader.beginRecords(of: block) }
  }

  /// As a writer leaves it that died within the last block.
  @Test func aTornTailIsPassedOver() async throws {
    let (file, ends) = Self.sample()
    for end in 1..<file.bytes.count {
      let account = try await Self.read(Array(file.bytes[..<end]))
      // Fewer bytes than a block begins with are no log's, but nobody's rows either.
      #expect(account.error == nil, "\(end) bytes")
      let whole = ends.filter { $0 <= end }
      let torn = ends.contains(end) ? [] : [LogBlock.Kind.corrupt]
      #expect(account.kinds == [.avro, .command, .avro].prefix(whole.count) + torn, "\(end) bytes")
      #expect(account.ranges.last?.upperBound == end)
    }
  }

  @Test func aDamagedBlockIsPassedOverUpToTheNext() async throws {
    let (file, ends) = Self.sample()
    // A size that is none, the size at the end, and a block that is cut and followed by others.
    for place in [6, 13, ends[0] - 1] {
      var damaged = file.bytes
      damaged[place] ^= 0x55
      let account = try await Self.read(damaged)
      #expect(account.kinds == [.corrupt, .command, .avro] && account.error == nil, "\(place)")
      #expect(account.ranges.first == 0..<ends[0])
      #expect(account.records == [[1, 2, 3], [], [4]])
    }
    let cut = Array(file.bytes[..<(ends[0] - 20)]) + file.bytes[ends[0]...]
    let account = try await Self.read(cut)
    #expect(account.kinds == [.corrupt, .command, .avro] && account.ranges[0] == 0..<ends[0] - 20)
    // Much that is no block, with a magic across the border of what is read at once.
    let step = 256 << 10
    for shift in [-6, -5, -3, -1, 0, 1] {
      let long = Array(file.bytes[..<20]) + [UInt8](repeating: 0x23, count: step - 14 + shift)
      let account = try await Self.read(long + file.bytes)
      #expect(
        account.kinds == [.corrupt, .avro, .command, .avro] && account.ranges[0] == 0..<long.count, "\(shift)"
      )
    }
  }

  @Test func whatIsNoLogOrNewerIsRefused() async throws {
    #expect(try await Self.read(Array("PAR1PAR1".utf8)).error == .damaged)
    var cases: [(LogError.Code, LogBytes)] = []
    for (code, kind, version, key): (LogError.Code, UInt32, UInt32, UInt32) in [
      (.unsupported, 3, 2, 0), (.unsupported, 3, 0, 0), (.unsupported, 7, 1, 0), (.unsupported, 2, 1, 0),
      (.unsupported, 3, 1, 9),
    ] {
      var file = LogBytes()
      file.append(kind: kind, version: version, header: [(key, "x")], content: LogBytes.content(of: []))
      cases.append((code, file))
    }
    for content: [UInt8] in [
      [], [0, 0, 0, 3], LogBytes.content(of: [[1]]) + [0], Array(LogBytes.content(of: [[1]]).dropLast()),
      [0, 0, 0, 3, 0xff, 0, 0, 0], [0, 0, 0, 3, 0x7f, 0, 0, 0],
      [0, 0, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
    ] {
      var file = LogBytes()
      file.append(kind: 3, header: [], content: content)
      cases.append((.damaged, file))
    }
    var other = LogBytes()
    other.append(kind: 3, header: [], content: LogBytes.content(of: [], version: 4))
    cases.append((.unsupported, other))
    for footer: [UInt8] in [[0, 0, 0, 0, 0], [0, 0, 0, 1]] {
      var file = LogBytes()
      file.append(kind: 3, header: [], content: LogBytes.content(of: []), footer: footer)
      cases.append((.damaged, file))
    }
    for (code, file) in cases { #expect(try await Self.read(file.bytes).error == code) }
    let missing = InMemoryStorage()
    await #expect(throws: LogError.self) { _ = try await LogReader.open(missing, path: "log") }
  }

  @Test func damagedFilesAreReadOrRefused() async throws {
    let (file, _) = Self.sample()
    for place in file.bytes.indices {
      for bits: UInt8 in [0x01, 0x80, 0xff] {
        var damaged = file.bytes
        damaged[place] ^= bits
        let account = try await Self.read(damaged)
        #expect(account.records.count <= 6)
      }
    }
  }
}
