internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// What a part is made of: bytes that are there, and ranges of objects that are read when it is sent.
struct PartContent: Sendable {
  fileprivate enum Piece: Sendable {
    case bytes(ArraySlice<UInt8>)
    case range(CopiedSource, Range<Int>)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .range(_, let range): range.count
      }
    }
  }

  fileprivate var pieces: [Piece] = []

  /// Bytes in all.
  var count: Int { pieces.reduce(0) { $0 + $1.count } }

  /// Only bytes that are there.
  init(_ bytes: [UInt8]) { pieces = [.bytes(bytes[...])] }

  fileprivate init() {}

  /// The bytes, once ranges are read: by one request those that lie close together.
  ///
  /// - Throws: `changed` where a range is of an object of another version by now.
  func body(_ bucket: S3Bucket) async throws(StorageError) -> HTTPBody {
    var reads: [(source: CopiedSource, range: Range<Int>)] = []
    for case .range(let source, let range) in pieces {
      if let last = reads.last, last.source == source, range.lowerBound >= last.range.lowerBound,
        range.lowerBound - last.range.upperBound <= RequestCosts.objectStore.widestGap,
        range.upperBound - last.range.lowerBound <= ObjectReader.partSize
      {
        reads[reads.count - 1].range = last.range.lowerBound..<max(last.range.upperBound, range.upperBound)
      } else {
        reads.append((source, range))
      }
    }
    let read = try await Self.read(reads, bucket)
    var bytes: [ArraySlice<UInt8>] = []
    var index = 0
    for piece in pieces {
      switch piece {
      case .bytes(let some): bytes.append(some)
      case .range(let source, let range):
        // In the order in which they were joined above.
        while reads[index].source != source || !reads[index].range.contains(range) { index += 1 }
        let start = range.lowerBound - reads[index].range.lowerBound
        bytes.append(read[index][start..<start + range.count])
      }
    }
    return HTTPBody(bytes)
  }

  private static func read(
    _ reads: [(source: CopiedSource, range: Range<Int>)], _ bucket: S3Bucket
  ) async throws(StorageError) -> [[UInt8]] {
    do {
      return try await concurrently(reads, width: min(bucket.options.requestsAtOnce, 8)) { read in
        let memory = ResponseMemory(ByteBuffer(), count: read.range.count)
        try await ObjectReader(bucket: bucket).read(
          read.source.name, read.range, tag: read.source.tag, into: memory)
        return memory.take(filled: read.range.count).copied()
      }
    } catch let error as StorageError {
      throw error
    } catch {
      throw StorageError(.cancelled, path: reads.first?.source.name.path ?? "", "the writing was cancelled")
    }
  }
}

/// An object of which ranges are copied, of the version that is meant.
struct CopiedSource: Sendable, Equatable {
  let name: ObjectName
  let tag: ObjectTag

  static func == (left: CopiedSource, right: CopiedSource) -> Bool {
    left.tag == right.tag && left.name.key.utf8.elementsEqual(right.name.key.utf8)
  }
}

/// What waits to be sent as parts; large pieces are not copied, and ranges of objects take no memory.
struct GatheredContent {
  /// Pieces below this size are copied together.
  private static let smallPiece = 64 << 10

  private var content = PartContent()
  /// What follows the pieces.
  private var tail: [UInt8] = []
  private(set) var count = 0

  mutating func append(_ bytes: [UInt8]) {
    count += bytes.count
    if bytes.count < Self.smallPiece {
      tail += bytes
      return
    }
    endTail()
    content.pieces.append(.bytes(bytes[...]))
  }

  mutating func append(_ range: Range<Int>, of source: CopiedSource) {
    guard !range.isEmpty else { return }
    count += range.count
    endTail()
    // Ranges that follow one another are one.
    if case .range(let last, let before) = content.pieces.last, last == source,
      before.upperBound == range.lowerBound
    {
      content.pieces[content.pieces.count - 1] = .range(source, before.lowerBound..<range.upperBound)
    } else {
      content.pieces.append(.range(source, range))
    }
  }

  /// Takes the first bytes out: at most so many.
  mutating func take(_ most: Int) -> PartContent {
    endTail()
    var taken = PartContent()
    var left = min(most, count)
    count -= left
    var used = 0
    while left > 0, used < content.pieces.count {
      let piece = content.pieces[used]
      if piece.count <= left {
        taken.pieces.append(piece)
        left -= piece.count
        used += 1
        continue
      }
      switch piece {
      case .bytes(let bytes):
        taken.pieces.append(.bytes(bytes.prefix(left)))
        content.pieces[used] = .bytes(bytes.dropFirst(left))
      case .range(let source, let range):
        let middle = range.lowerBound + left
        taken.pieces.append(.range(source, range.lowerBound..<middle))
        content.pieces[used] = .range(source, middle..<range.upperBound)
      }
      left = 0
    }
    content.pieces.removeFirst(used)
    return taken
  }

  private mutating func endTail() {
    guard !tail.isEmpty else { return }
    content.pieces.append(.bytes(tail[...]))
    tail = []
  }
}
