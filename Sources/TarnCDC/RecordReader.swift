import TarnBytes
public import TarnStorage

/// Reads JSON objects, such as change records, from files and hands them to a consumer.
///
/// Objects follow one another with or without line ends or blanks between them. Files whose names end in `.gz` or
/// `.zst`, or that begin as such, are decompressed. Memory is bounded by the longest record.
/// After text that is no JSON, reading goes on behind the next line end.
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

  private let storage: any Storage
  private let paths: [String]
  private let options: Options
  private var next = 0
  private var window: TextWindow?
  /// Whether the rest of a line is being passed over, its record being too long.
  private var isSkippingLine = false
  /// What ended the reading.
  private var failure: ChangeError?

  /// Text bytes read so far, decompressed.
  public private(set) var textBytes = 0

  /// Makes a reader of files, which are read in the order given; see ``ChangeSource/files(in:under:)``.
  public init(storage: any Storage, paths: [String], options: Options = Options()) {
    self.storage = storage
    self.paths = paths
    self.options = options
  }

  /// Reads records into a consumer until it is full or all files have been read.
  ///
  /// - Parameters:
  ///   - consumer: Takes the records.
  ///   - limit: What the consumer counts as full, such as rows of a batch.
  ///   - rejected: What is done with records that cannot be taken; by default the first one is thrown.
  /// - Returns: Whether there may be more to read.
  /// - Throws: ``ChangeError`` where a file cannot be read, a compressed file is malformed or cut off, the task is
  ///   cancelled, or `rejected` throws; and again when it is called again, since records would be missing.
  public mutating func read(
    into consumer: inout some RecordConsumer, limit: Int,
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
        guard next < paths.count else { return false }
        window = try await TextWindow(storage: storage, path: paths[next], chunk: options.chunk)
        next += 1
        isSkippingLine = false
      }
      if try take(into: &consumer, limit, rejected) { continue }
      if window?.isLast ?? true {
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
      if isSkippingLine {
        guard window?.skipLine() ?? false else { return false }
        isSkippingLine = false
      }
      guard let stop = window?.takeRecords(into: &consumer, limit) else { return false }
      switch stop {
      case .full: return true
      case .outOfText: return false
      case .cut(let length):
        guard length > options.recordLimit else { return false }
        isSkippingLine = true
        consumer.noteRejected()
        try rejectHead(length, rejected)
      case .rejected(let range, let reason):
        consumer.noteRejected()
        if let record = window?.rejectedRecord(range, reason) { try rejected(record) }
      }
    }
    return true
  }

  private mutating func rejectHead(_ length: Int, _ rejected: RejectionHandler) throws(ChangeError) {
    guard let start = window?.consumed else { return }
    let reason = RejectionReason.tooLong(limit: options.recordLimit)
    if let record = window?.rejectedRecord(start..<start + length, reason) { try rejected(record) }
  }
}

extension TextWindow {
  /// Why taking records stopped.
  enum Stop {
    case full
    case outOfText
    /// The text in memory ends within a record, of which it has `length` bytes.
    case cut(length: Int)
    /// A record cannot be taken; it has been consumed.
    case rejected(Range<Int>, RejectionReason)
  }

  /// How near to the end of the text an error may be due to text that is missing: the longest escape.
  private static var reach: Int { 12 }

  mutating func takeRecords(into consumer: inout some RecordConsumer, _ limit: Int) -> Stop {
    var position = consumed
    let stop = takeRecords(into: &consumer, limit, from: &position)
    consumed = position
    return stop
  }

  private borrowing func takeRecords(
    into consumer: inout some RecordConsumer, _ limit: Int, from position: inout Int
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
      } catch .notJSON(let error) {
        position = start
        let isCut = error.kind == .endOfInput || max(error.offset, scanner.offset) + Self.reach >= text.count
        if isCut, !isLast { return .cut(length: text.count - start) }
        let end = lineEnd(from: start)
        if end == nil, !isLast { return .cut(length: text.count - start) }
        position = end ?? text.count
        return .rejected(start..<position, .notJSON(JSONError(error.kind, at: error.offset - start)))
      } catch {
        position = scanner.offset
        return .rejected(start..<position, error)
      }
    }
    return .full
  }

  /// Passes over the rest of a line; false where its end is not in memory.
  mutating func skipLine() -> Bool {
    let end = lineEnd(from: consumed)
    consumed = end ?? text.count
    return end != nil
  }

  mutating func rejectedRecord(_ range: Range<Int>, _ reason: RejectionReason) -> RejectedRecord {
    let kept = range.lowerBound..<min(range.upperBound, range.lowerBound + RejectedRecord.keptBytes)
    return RejectedRecord(
      source: path, line: line(at: range.lowerBound), offset: base + range.lowerBound, reason: reason,
      bytes: text.bytes.extracting(kept).copied())
  }
}
