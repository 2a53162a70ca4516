import TarnBytes
public import TarnStorage

/// Reads JSON objects, such as change records, from files and hands them to a consumer.
///
/// Objects follow one another with or without line ends or blanks between them. Files that begin as gzip, zstd,
/// ZIP or Snappy, or whose names end as theirs, are decompressed; the rows of a Parquet file come as lines of JSON.
/// Memory is bounded by the longest record.
/// After text that is no JSON, reading goes on where the next record begins: behind the next line end, or the next `}`
/// with `{` behind it, or at an object that begins as a change record does. All between is rejected, in pieces of
/// ``RejectedRecord/keptBytes`` at most.
public struct RecordReader: ~Copyable {
  /// What is done with records that cannot be taken.
  public typealias RejectionHandler = (RejectedRecord) throws(ChangeError) -> Void

  /// How files are read.
  public struct Options: Sendable {
    /// Bytes that are read at a time.
    public var chunk = 1 << 20
    /// Bytes that one record may have; a longer one is rejected, unless a single read brought all of it.
    public var recordLimit = 64 << 20

    /// The usual options.
    public init() {}
  }

  /// Where the files lie; nil where the bytes are in memory.
  private let storage: (any Storage)?
  private let paths: [String]
  /// The MD5 that each file's bytes are to have, as far as that is known.
  private let checksums: [[UInt8]?]
  /// How many records each file is to have, as far as that is known.
  private let counts: [Int?]
  private let facts: FileFacts
  private let options: Options
  private var next = 0
  private var window: TextWindow?
  /// What is being passed over behind a broken record.
  private var passage: RecordPassage?
  /// What ended the reading.
  private var failure: ChangeError?

  /// Text bytes read so far, decompressed.
  public private(set) var textBytes = 0

  /// Makes a reader of files, which are read in the order given; see ``ChangeSource/files(in:under:)``.
  public init(storage: any Storage, paths: [String], options: Options = Options()) {
    self.storage = storage
    self.paths = paths
    self.options = options
    checksums = []
    counts = []
    facts = FileFacts()
  }

  /// Makes a reader of the data files of a table export, whose checksums and numbers of items are compared.
  ///
  /// Items of a full export are as of its ``ExportManifest/exportTime``.
  public init(storage: any Storage, export: ExportManifest, options: Options = Options()) {
    self.storage = storage
    paths = export.files.map(\.path)
    self.options = options
    checksums = export.files.map(\.md5)
    counts = export.files.map(\.itemCount)
    facts = FileFacts(tableName: export.tableName, time: export.exportTime)
  }

  /// Makes a reader of bytes in memory, which may be compressed as files may be.
  ///
  /// - Parameter name: What they are called where something is wrong with them.
  init(_ bytes: [UInt8], name: String, options: Options = Options()) {
    storage = nil
    paths = []
    checksums = []
    counts = []
    facts = FileFacts()
    self.options = options
    window = TextWindow(bytes, name: name, chunk: options.chunk)
  }

  /// Reads all records of bytes in memory into a consumer, however much it holds.
  mutating func readInMemory(
    to consumer: inout some RecordConsumer, rejected: RejectionHandler
  ) throws(ChangeError) {
    while try !take(into: &consumer, .max, rejected) {
      guard let isLast = window?.isLast, !isLast else { return }
      try window?.moreInMemory()
    }
  }

  /// Reads records into a consumer until it is full or all files have been read.
  ///
  /// - Parameters:
  ///   - consumer: Takes the records.
  ///   - limit: What the consumer counts as full, such as rows of a batch.
  ///   - rejected: What is done with records that cannot be taken; by default the first one is thrown.
  /// - Returns: Whether there may be more to read.
  /// - Throws: ``ChangeError``, as the readings into builders.
  package mutating func read(
    to consumer: inout some RecordConsumer, limit: Int,
    rejected: RejectionHandler = { record throws(ChangeError) in throw .rejected(record) }
  ) async throws(ChangeError) -> Bool {
    if let failure { throw failure }
    do throws(ChangeError) {
      return try await readOn(into: &consumer, limit, rejected)
    } catch {
      failure = error
      window = nil
      throw error
    }
  }

  private mutating func readOn(
    into consumer: inout some RecordConsumer, _ limit: Int, _ rejected: RejectionHandler
  ) async throws(ChangeError) -> Bool {
    while !consumer.isFull(limit: limit) {
      guard !Task.isCancelled else { throw .cancelled }
      if window == nil {
        guard let storage, next < paths.count else { return false }
        window = try await TextWindow(
          storage: storage, path: paths[next], md5: next < checksums.count ? checksums[next] : nil,
          chunk: options.chunk)
        consumer.begin(facts)
        next += 1
        passage = nil
      }
      if try take(into: &consumer, limit, rejected) { continue }
      if window?.isLast ?? true {
        try window?.check(count: next <= counts.count ? counts[next - 1] : nil)
        textBytes += window?.textBytes ?? 0
        window = nil
      } else {
        try await window?.more()
      }
    }
    return true
  }

  /// Takes the records of the text in memory; false where more text is needed, or none is left.
  private mutating func take(
    into consumer: inout some RecordConsumer, _ limit: Int, _ rejected: RejectionHandler
  ) throws(ChangeError) -> Bool {
    while !consumer.isFull(limit: limit) {
      if passage != nil {
        guard try pass(into: &consumer, rejected) else { return false }
        continue
      }
      guard let stop = window?.takeRecords(into: &consumer, limit) else { return false }
      switch stop {
      case .full: return true
      case .outOfText: return false
      case .cut(let length):
        guard length > options.recordLimit else { return false }
        passage = RecordPassage(.tooLong(limit: options.recordLimit))
        window?.isBroken = true
      case .broken(let reason):
        passage = RecordPassage(reason)
        window?.isBroken = true
      case .carried(let start): try rejectCarried(at: start, from: &consumer, rejected)
      case .rejected(let range, let reason):
        var whole = RecordPassage(reason)
        try reject(range, of: &whole, isEnd: true, from: &consumer, rejected)
      }
    }
    return true
  }

  /// Passes over text behind a broken record, and hands it out; false where more text is needed, or none is left.
  private mutating func pass(
    into consumer: inout some RecordConsumer, _ rejected: RejectionHandler
  ) throws(ChangeError) -> Bool {
    guard var passage, let start = window?.consumed,
      let stop = window?.pass(&passage, into: &consumer, recordLimit: options.recordLimit)
    else { return false }
    self.passage = nil
    switch stop {
    case .taken(let record):
      window?.consumed = record.upperBound
      try reject(start..<record.lowerBound, of: &passage, isEnd: true, from: &consumer, rejected)
      try rejectCarried(at: record.lowerBound, from: &consumer, rejected)
    case .rejected(let record, let reason):
      window?.consumed = record.upperBound
      try reject(start..<record.lowerBound, of: &passage, isEnd: true, from: &consumer, rejected)
      var own = RecordPassage(reason)
      try reject(record, of: &own, isEnd: true, from: &consumer, rejected)
    case .line(let line):
      window?.consumed = line
      try reject(start..<line, of: &passage, isEnd: true, from: &consumer, rejected)
    case .needsMore(let end):
      let isLast = window?.isLast ?? true
      if isLast || end - start >= RejectedRecord.keptBytes {
        var handedOut = end
        // The last bytes stay: with those that follow they may tell whether a record begins there.
        if isLast {
          handedOut = window?.text.count ?? end
        } else if passage.pending == nil {
          handedOut -= TextWindow.context
        }
        window?.consumed = handedOut
        passage.searched = max(passage.searched - (handedOut - start), 0)
        try reject(start..<handedOut, of: &passage, isEnd: isLast, from: &consumer, rejected)
      }
      if !isLast { self.passage = passage }
      return false
    }
    return true
  }

  /// Hands out the records that an object carried and that could not be taken.
  ///
  /// - Parameter start: Where the object stands.
  private mutating func rejectCarried(
    at start: Int, from consumer: inout some RecordConsumer, _ rejected: RejectionHandler
  ) throws(ChangeError) {
    guard consumer.hasCarriedRejections else { return }
    for carried in consumer.takeCarriedRejections() {
      consumer.noteRejected()
      for piece in window?.rejectedRecords(carried, at: start) ?? [] { try rejected(piece) }
    }
  }

  /// Hands text out, in pieces.
  ///
  /// - Parameter isEnd: Whether the passage ends there, so that blanks at its end are no part of it.
  private mutating func reject(
    _ range: Range<Int>, of passage: inout RecordPassage, isEnd: Bool,
    from consumer: inout some RecordConsumer,
    _ rejected: RejectionHandler
  ) throws(ChangeError) {
    for _ in 0..<passage.records { consumer.noteRejected() }
    var rest = isEnd ? window?.withoutBlanks(range) ?? range : range
    while !rest.isEmpty {
      let end = window?.pieceEnd(rest) ?? rest.upperBound
      guard var record = window?.rejectedRecord(rest.lowerBound..<end, passage.reason) else { return }
      record.records = passage.records
      record.continues = passage.first
      if passage.first != nil { record.reason = .passedOver }
      passage.first = passage.first ?? record.offset
      passage.records = 0
      rest = end..<rest.upperBound
      try rejected(record)
    }
  }
}

extension TextWindow {
  /// Why taking records stopped.
  enum Stop {
    case full
    case outOfText
    /// The text in memory ends within a record, of which it has `length` bytes.
    case cut(length: Int)
    /// What stands there is no record, and where it ends is not known.
    case broken(RejectionReason)
    /// An object was taken, but not all records that it carries.
    case carried(start: Int)
    /// A record cannot be taken; it has been consumed.
    case rejected(Range<Int>, RejectionReason)
  }

  /// How much of what was passed over stays to tell whether what comes begins a record.
  static let context = 256

  /// How near to the end of the text an error may be due to text that is missing: the longest escape.
  private static var reach: Int { 12 }

  mutating func takeRecords(into consumer: inout some RecordConsumer, _ limit: Int) -> Stop {
    var position = consumed
    var taken = 0
    let stop = takeRecords(into: &consumer, limit, from: &position, &taken)
    consumed = position
    objects += taken
    return stop
  }

  private borrowing func takeRecords(
    into consumer: inout some RecordConsumer, _ limit: Int, from position: inout Int, _ taken: inout Int
  ) -> Stop {
    var scanner = JSONScanner(text.bytes, at: position)
    while !consumer.isFull(limit: limit) {
      guard !scanner.isAtEnd() else {
        position = text.count
        return .outOfText
      }
      let start = scanner.offset
      do {
        try consumer.take(&scanner)
        position = scanner.offset
        taken += 1
        if consumer.hasCarriedRejections { return .carried(start: start) }
      } catch {
        guard let error = error.json?.error else {
          position = scanner.offset
          taken += 1
          return .rejected(start..<position, error)
        }
        position = start
        if isCut(error, scanner.offset), !isLast { return .cut(length: text.count - start) }
        return .broken(.notJSON(BrokenJSON(JSONError(error.kind, at: error.offset - start))))
      }
    }
    return .full
  }

  /// Looks for the next record behind a broken one.
  borrowing func pass(
    _ passage: inout RecordPassage, into consumer: inout some RecordConsumer, recordLimit: Int
  ) -> RecordPassage.Stop {
    var position = consumed + passage.searched
    defer { passage.searched = position - consumed }
    while true {
      let beginning: RecordBeginning?
      if let isCertain = passage.pending {
        beginning = .object(at: position, isCertain: isCertain)
      } else {
        beginning = RecordBeginning.next(in: text.bytes, from: position, isLast: isLast, consumer.shape)
      }
      passage.pending = nil
      switch beginning {
      case nil:
        position = text.count
        return .needsMore(position)
      case .undecided(let start):
        position = start
        return .needsMore(start)
      case .line(let start): return .line(start)
      case .object(let start, let isCertain):
        position = start
        switch attempt(at: start, isCertain, into: &consumer) {
        case .taken(let end): return .taken(start..<end)
        case .rejected(let end, let reason): return .rejected(start..<end, reason)
        case .cut where !isLast && text.count - start <= recordLimit:
          passage.pending = isCertain
          return .needsMore(start)
        case .cut, .broken: passage.records += 1
        case .inner: break
        }
        position = start + 1
      }
    }
  }

  /// What came of taking an object for a record.
  private enum Attempt {
    case taken(end: Int)
    case rejected(end: Int, RejectionReason)
    /// The text in memory ends within it, or too near to its end.
    case cut
    case broken
    /// It is part of another object.
    case inner
  }

  private borrowing func attempt(
    at start: Int, _ isCertain: Bool, into consumer: inout some RecordConsumer
  ) -> Attempt {
    var scanner = JSONScanner(text.bytes, at: start)
    do {
      if consumer.shape == .object {
        try scanner.skipValue()
        // Written over several lines without indenting, an array's element may begin a line.
        guard !scanner.isAtEnd() || isLast else { return .cut }
        let next = scanner.isAtEnd() ? 0 : text.bytes.extracting(scanner.offset...).withUnsafeBytes { $0[0] }
        if next == 0x2c || next == 0x5d { return .inner }
        scanner = JSONScanner(text.bytes, at: start)
      }
    } catch {
      return isCut(error, scanner.offset) ? .cut : .broken
    }
    do {
      try consumer.take(&scanner)
      return .taken(end: scanner.offset)
    } catch {
      if let broken = error.json { return isCut(broken.error, scanner.offset) ? .cut : .broken }
      if error.code == .notAChangeRecord, !isCertain { return .inner }
      return .rejected(end: scanner.offset, error)
    }
  }

  /// Whether text that is not in memory may mend an error.
  private borrowing func isCut(_ error: JSONError, _ offset: Int) -> Bool {
    error.kind == .endOfInput || max(error.offset, offset) + Self.reach >= text.count
  }

  /// A range without the blanks and line ends at its end.
  borrowing func withoutBlanks(_ range: Range<Int>) -> Range<Int> {
    let kept = text.bytes.extracting(range).withUnsafeBytes { bytes in
      bytes.lastIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }.map { $0 + 1 } ?? 0
    }
    return range.lowerBound..<range.lowerBound + kept
  }

  /// Where the first piece of a range ends: not within a character.
  borrowing func pieceEnd(_ range: Range<Int>) -> Int {
    guard range.count > RejectedRecord.keptBytes else { return range.upperBound }
    let end = range.lowerBound + RejectedRecord.keptBytes
    return text.bytes.withUnsafeBytes { bytes in
      (end - 3...end).last { bytes[$0] & 0xc0 != 0x80 } ?? end
    }
  }

  /// A carried record in pieces, at the place of the object that carries it.
  mutating func rejectedRecords(_ carried: CarriedRejection, at start: Int) -> [RejectedRecord] {
    let (line, offset) = (line(at: start), base + start)
    return stride(from: 0, to: max(carried.bytes.count, 1), by: RejectedRecord.keptBytes).map { from in
      var record = RejectedRecord(
        source: path, line: line, offset: offset, reason: from == 0 ? carried.reason : .passedOver,
        bytes: Array(carried.bytes[from..<min(from + RejectedRecord.keptBytes, carried.bytes.count)]),
        records: from == 0 ? 1 : 0, continues: from == 0 ? nil : offset, number: carried.number)
      record.sequenceNumber = carried.sequenceNumber.map { String(decoding: $0, as: UTF8.self) }
      record.aggregateIndex = carried.aggregateIndex
      return record
    }
  }

  mutating func rejectedRecord(_ range: Range<Int>, _ reason: RejectionReason) -> RejectedRecord {
    RejectedRecord(
      source: path, line: line(at: range.lowerBound), offset: base + range.lowerBound, reason: reason,
      bytes: text.bytes.extracting(range).copied())
  }
}
