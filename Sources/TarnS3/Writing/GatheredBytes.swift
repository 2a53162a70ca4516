internal import TarnAWS

/// Bytes of a stream that wait to be sent, large pieces of them not copied.
struct GatheredBytes {
  /// Pieces below this size are copied together.
  private static let smallPiece = 64 << 10

  private var pieces: [ArraySlice<UInt8>] = []
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
    pieces.append(bytes[...])
  }

  /// Takes the first bytes out: at most so many.
  mutating func take(_ most: Int) -> HTTPBody {
    endTail()
    var taken: [ArraySlice<UInt8>] = []
    var left = min(most, count)
    count -= left
    var used = 0
    while left > 0, used < pieces.count {
      let piece = pieces[used]
      if piece.count <= left {
        taken.append(piece)
        left -= piece.count
        used += 1
      } else {
        taken.append(piece.prefix(left))
        pieces[used] = piece.dropFirst(left)
        left = 0
      }
    }
    pieces.removeFirst(used)
    return HTTPBody(taken)
  }

  private mutating func endTail() {
    guard !tail.isEmpty else { return }
    pieces.append(tail[...])
    tail = []
  }
}
