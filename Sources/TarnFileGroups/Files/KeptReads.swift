import Synchronization
import TarnBytes
import TarnStorage

/// A storage over a network, of which a write keeps what it read of base files: it looks keys up in the pages and in the
/// index that it splices afterwards.
///
/// A base file never changes: another version of it has another name.
package struct KeptReads: Storage {
  private let inner: any Storage
  private let memory: Memory

  /// Bytes of a file that are held at once where it is read in windows: as many as one request reads.
  static let windowBytes = 8 << 20

  /// Begins without anything.
  ///
  /// - Parameter limit: Bytes that are kept.
  package init(_ inner: any Storage, limit: Int) {
    self.init(inner, Memory(limit: limit))
  }

  private init(_ inner: any Storage, _ memory: Memory) {
    self.inner = inner
    self.memory = memory
  }

  /// What was read, up to a bound; what was not used for longest goes first.
  fileprivate final class Memory: Sendable {
    private struct Piece {
      let range: Range<Int>
      let bytes: [UInt8]
      var lastUse: Int
      /// Whether it stays until it is let go of, beside the bound.
      var isHeld = false
    }

    private struct State {
      var pieces: [ExactText: [Piece]] = [:]
      var bytes = 0
      var uses = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// The bytes from a place of a file on, up to an end, as far as they lie together; empty for none.
    func bytes(from start: Int, upTo end: Int, of path: String) -> ArraySlice<UInt8> {
      let path = ExactText(path)
      return state.withLock { state in
        guard let index = state.pieces[path]?.firstIndex(where: { $0.range.contains(start) }) else {
          return []
        }
        state.uses += 1
        state.pieces[path]?[index].lastUse = state.uses
        guard let piece = state.pieces[path]?[index] else { return [] }
        let from = start - piece.range.lowerBound
        return piece.bytes[from..<min(end, piece.range.upperBound) - piece.range.lowerBound]
      }
    }

    /// What is known of a range from its begin on, piece after piece, and from its end back.
    func ends(of range: Range<Int>, of path: String) -> (begin: [ArraySlice<UInt8>], end: [ArraySlice<UInt8>])
    {
      var begin: [ArraySlice<UInt8>] = []
      var start = range.lowerBound
      while start < range.upperBound {
        let known = bytes(from: start, upTo: range.upperBound, of: path)
        guard !known.isEmpty else { break }
        begin.append(known)
        start += known.count
      }
      var end: [ArraySlice<UInt8>] = []
      var stop = range.upperBound
      while stop > start {
        let known = bytes(before: stop, from: start, of: path)
        guard !known.isEmpty else { break }
        end.insert(known, at: 0)
        stop -= known.count
      }
      return (begin, end)
    }

    /// The bytes before a place of a file, from a begin on, as far as they lie together; empty for none.
    private func bytes(before end: Int, from start: Int, of path: String) -> ArraySlice<UInt8> {
      let path = ExactText(path)
      return state.withLock { state in
        guard
          let index = state.pieces[path]?.firstIndex(where: {
            $0.range.lowerBound < end && $0.range.upperBound >= end
          })
        else { return [] }
        state.uses += 1
        state.pieces[path]?[index].lastUse = state.uses
        guard let piece = state.pieces[path]?[index] else { return [] }
        let first = piece.range.lowerBound
        return piece.bytes[max(start, first) - first..<end - first]
      }
    }

    /// Where the next bytes of a file are known behind a place.
    func next(after start: Int, of path: String) -> Int? {
      let path = ExactText(path)
      return state.withLock { state in
        state.pieces[path]?.map(\.range.lowerBound).filter { $0 > start }.min()
      }
    }

    func keep(_ bytes: [UInt8], _ range: Range<Int>, of path: String) {
      guard bytes.count <= limit / 4 else { return }
      let path = ExactText(path)
      state.withLock { state in
        state.uses += 1
        state.bytes += bytes.count
        state.pieces[path, default: []].append(Piece(range: range, bytes: bytes, lastUse: state.uses))
        while state.bytes > limit { Self.removeOldest(&state) }
      }
    }

    /// Keeps what stays until it is let go of.
    func hold(_ bytes: [UInt8], _ range: Range<Int>, of path: String) {
      state.withLock { state in
        state.uses += 1
        state.pieces[ExactText(path), default: []].append(
          Piece(range: range, bytes: bytes, lastUse: state.uses, isHeld: true))
      }
    }

    func forget(_ path: String) { forget(path) { _, _ in true } }

    /// Forgets what ends before a place.
    func forget(_ path: String, before end: Int) { forget(path) { range, _ in range.upperBound <= end } }

    /// Forgets pieces that are longer than ends of files and parts of indexes, but for those that are held.
    func forgetLong(_ path: String) {
      forget(path) { range, isHeld in !isHeld && range.count > Self.shortPiece }
    }

    private func forget(_ path: String, where isGone: (Range<Int>, Bool) -> Bool) {
      let path = ExactText(path)
      state.withLock { state in
        guard let pieces = state.pieces.removeValue(forKey: path) else { return }
        var left: [Piece] = []
        for piece in pieces {
          if !isGone(piece.range, piece.isHeld) {
            left.append(piece)
          } else if !piece.isHeld {
            state.bytes -= piece.bytes.count
          }
        }
        if !left.isEmpty { state.pieces[path] = left }
      }
    }

    /// Bytes of the end of a file that is read as it is opened, or of a part of its key index.
    private static let shortPiece = 1 << 20

    /// Forgets what was not used for longest: of long pieces, as long as there are any.
    private static func removeOldest(_ state: inout State) {
      var oldest: (path: ExactText, index: Int, age: (Int, Int))?
      for (path, pieces) in state.pieces {
        for (index, piece) in pieces.enumerated() where !piece.isHeld {
          let age = (piece.bytes.count > shortPiece ? 0 : 1, piece.lastUse)
          if oldest.map({ age < $0.age }) ?? true { oldest = (path, index, age) }
        }
      }
      guard let oldest, let piece = state.pieces[oldest.path]?.remove(at: oldest.index) else {
        // Nothing is kept but what is held.
        state.bytes = 0
        return
      }
      state.bytes -= piece.bytes.count
      if state.pieces[oldest.path]?.isEmpty == true { state.pieces[oldest.path] = nil }
    }
  }

  /// Reads what is not known yet, by one request: what is known at the begin of the range and at its end is not asked for.
  package func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    guard !range.isEmpty, path.hasSuffix(".parquet") else {
      return try await inner.read(path, range: range, into: &buffer)
    }
    let (begin, end) = memory.ends(of: range, of: path)
    let start = begin.reduce(range.lowerBound) { $0 + $1.count }
    let missing = start..<end.reduce(range.upperBound) { $0 - $1.count }
    if missing == range {
      try await inner.read(path, range: range, into: &buffer)
      return memory.keep(buffer.copied(), range, of: path)
    }
    var read: [UInt8] = []
    if !missing.isEmpty {
      try await inner.read(path, range: missing, into: &buffer)
      read = buffer.copied()
      memory.keep(read, missing, of: path)
    }
    buffer.removeAll()
    for known in begin { buffer.append(known) }
    buffer.append(read[...])
    for known in end { buffer.append(known) }
  }

  /// Reads ranges of a file, one after the other and each by one request, and holds them until they are let go of.
  ///
  /// - Throws: ``StorageError``, as ``read(_:range:into:)`` does.
  func hold(_ ranges: [Range<Int>], of path: String) async throws(StorageError) {
    for range in ranges where !range.isEmpty {
      let (begin, end) = memory.ends(of: range, of: path)
      let start = begin.reduce(range.lowerBound) { $0 + $1.count }
      let missing = start..<end.reduce(range.upperBound) { $0 - $1.count }
      guard !missing.isEmpty else { continue }
      var buffer = ReadBuffer()
      try await inner.read(path, range: missing, into: &buffer)
      memory.hold(buffer.copied(), missing, of: path)
    }
  }

  /// Lets go of what ends before a place of a file.
  func release(_ path: String, before end: Int) { memory.forget(path, before: end) }

  /// Forgets the rows of a file that were read to look keys up: they take the memory of what is read in windows.
  package func forgetRows(of path: String) { memory.forgetLong(path) }

  /// Opens a writer that sends what is known of the files it copies from.
  package func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    KeptWriter(inner: try await inner.writer(at: path), memory: memory)
  }

  /// Lists.
  package func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  /// Tells what is known of an object.
  package func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try await inner.info(of: path)
  }

  /// Reads a whole object.
  package func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await inner.get(path, limit: limit)
  }

  /// Puts.
  @discardableResult
  package func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    memory.forget(path)
    return try await inner.put(bytes, at: path, if: condition)
  }

  /// Moves.
  package func move(_ path: String, to target: String) async throws(StorageError) {
    try await inner.move(path, to: target)
  }

  /// Moves, or copies.
  package func place(_ path: String, at target: String) async throws(StorageError) {
    try await inner.place(path, at: target)
  }

  /// Deletes.
  package func delete(_ paths: [String]) async -> [StorageError] { await inner.delete(paths) }

  /// What its requests cost.
  package var costs: RequestCosts { inner.costs }

  /// The same, with what is known.
  package func batch() -> any Storage { KeptReads(inner.batch(), memory) }

  /// Makes durable.
  package func settle() async throws(StorageError) { try await inner.settle() }

  /// The same, with what is known.
  package func waiting(atMost patience: Duration) -> any Storage {
    KeptReads(inner.waiting(atMost: patience), memory)
  }

  /// Keeps open.
  package func keepOpen() -> OpenScope { inner.keepOpen() }

  /// Removes what nobody finished.
  package func removeUnfinished(before time: Int64) async throws(StorageError) {
    try await inner.removeUnfinished(before: time)
  }

  /// The storage's clock.
  package func currentTime() -> Int64? { inner.currentTime() }

  /// What was found out of the storage.
  package func findings() -> String? { inner.findings() }

  /// Takes over what was found out of it.
  package func adopt(_ findings: String) { inner.adopt(findings) }
}

/// A writer that has in memory some of what it copies, which need not be read once more.
private actor KeptWriter: ObjectWriter {
  private let inner: any ObjectWriter
  private let memory: KeptReads.Memory
  private var sources: Set<ExactText> = []

  init(inner: any ObjectWriter, memory: KeptReads.Memory) {
    self.inner = inner
    self.memory = memory
  }

  func write(_ bytes: [UInt8]) async throws(StorageError) { try await inner.write(bytes) }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    sources.insert(ExactText(path))
    var start = range.lowerBound
    while start < range.upperBound {
      let known = memory.bytes(from: start, upTo: range.upperBound, of: path)
      if known.isEmpty {
        let end = min(memory.next(after: start, of: path) ?? range.upperBound, range.upperBound)
        try await inner.copy(start..<end, of: path, tag: tag)
        start = end
      } else {
        try await inner.write(Array(known))
        start += known.count
      }
    }
  }

  func end() async throws(StorageError) {
    for source in sources { memory.forget(source.text) }
    sources = []
    try await inner.end()
  }

  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    for source in sources { memory.forget(source.text) }
    return try await inner.finish(if: condition)
  }

  func abandon() async { await inner.abandon() }
}
