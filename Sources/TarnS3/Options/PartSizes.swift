/// The sizes that parts of an upload may have.
enum PartSizes {
  /// The least size of all parts but the last.
  static let least = 5 << 20
  /// The greatest size of a part, and of the range that one is copied from.
  static let greatest = 5 << 30
  /// The most parts of one object.
  static let most = 10_000
  /// Sizes beyond this are no object's, whatever a server says.
  static let greatestObject = 1 << 50
  /// Ranges longer than this are copied as several, side by side.
  static let greatestCopy = 128 << 20

  /// The size of the part of a number, from 1 on, so that the most parts are enough for the greatest object.
  static func size(ofPart number: Int, base: Int) -> Int {
    let doublings = max(number - 1, 0) / 1_000
    return min(base << min(doublings, 10), greatest)
  }

  /// The pieces that the server copies of a range: few enough to leave room for other parts, none below the least size
  /// unless the range is.
  static func copies(of range: Range<Int>) -> [Range<Int>] {
    pieces(of: range, most: min(max(greatestCopy, range.count / 1_000), greatest))
  }

  /// A range in pieces of at most a size, none much smaller than the others.
  static func pieces(of range: Range<Int>, most: Int) -> [Range<Int>] {
    guard !range.isEmpty else { return [] }
    let count = (range.count - 1) / most + 1
    let (size, larger) = range.count.quotientAndRemainder(dividingBy: count)
    func bound(_ piece: Int) -> Int { range.lowerBound + size * piece + min(piece, larger) }
    return (0..<count).map { bound($0)..<bound($0 + 1) }
  }
}
