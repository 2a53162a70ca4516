/// The sizes that parts of an upload may have.
enum PartSizes {
  /// The least size of all parts but the last.
  static let least = 5 << 20
  /// The greatest size of a part, and of the range that one is copied from.
  static let greatest = 5 << 30
  /// The most parts of one object.
  static let most = 10_000
  /// The greatest size of an object, which the service says.
  static let greatestObject = 5 << 40
  /// Ranges longer than this are copied as several, side by side.
  static let greatestCopy = 128 << 20

  /// The size of the part of a number, from 1 on, so that the most parts are enough for the greatest object.
  static func size(ofPart number: Int, base: Int) -> Int {
    let doublings = max(number - 1, 0) / 1_000
    return min(base << min(doublings, 10), greatest)
  }

  /// A range in pieces that may be copied, none much smaller than the others.
  static func pieces(of range: Range<Int>, most: Int = greatestCopy) -> [Range<Int>] {
    guard !range.isEmpty else { return [] }
    let count = (range.count + most - 1) / most
    return (0..<count).map { piece in
      range.lowerBound + range.count * piece / count..<range.lowerBound + range.count * (piece + 1) / count
    }
  }
}
