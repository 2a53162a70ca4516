/// Sets of rows as ranges that rise and neither overlap nor touch.
package enum RowRanges {
  /// The rows that are in any of the ranges.
  package static func union(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var joined: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = joined.last, range.lowerBound <= last.upperBound {
        joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// The rows below a number that are not in a set.
  package static func complement(_ ranges: [Range<Int>], of count: Int) -> [Range<Int>] {
    var rest: [Range<Int>] = []
    var start = 0
    for range in ranges {
      if range.lowerBound > start { rest.append(start..<range.lowerBound) }
      start = max(start, range.upperBound)
    }
    if start < count { rest.append(start..<count) }
    return rest
  }

  /// The rows that are in both of two sets.
  package static func intersection(_ left: [Range<Int>], _ right: [Range<Int>]) -> [Range<Int>] {
    var common: [Range<Int>] = []
    var (first, second) = (0, 0)
    while first < left.count, second < right.count {
      let part = left[first].clamped(to: right[second])
      if !part.isEmpty { common.append(part) }
      if left[first].upperBound < right[second].upperBound { first += 1 } else { second += 1 }
    }
    return common
  }

  /// Some of the rows of a set, by their number in it.
  package static func part(_ numbers: Range<Int>, of ranges: [Range<Int>]) -> [Range<Int>] {
    var part: [Range<Int>] = []
    var start = 0
    for range in ranges {
      let wanted = numbers.clamped(to: start..<start + range.count)
      if !wanted.isEmpty {
        let offset = range.lowerBound - start
        part.append(wanted.lowerBound + offset..<wanted.upperBound + offset)
      }
      start += range.count
      if start >= numbers.upperBound { break }
    }
    return part
  }

  /// Some of the rows of a set, by their numbers in it, which ascend.
  package static func part(_ numbers: [Int32], of ranges: [Range<Int>]) -> [Range<Int>] {
    var part: [Range<Int>] = []
    var (index, start) = (0, 0)
    for number in numbers {
      while index < ranges.count, Int(number) - start >= ranges[index].count {
        start += ranges[index].count
        index += 1
      }
      guard index < ranges.count else { break }
      let row = ranges[index].lowerBound + Int(number) - start
      if let last = part.last, last.upperBound == row {
        part[part.count - 1] = last.lowerBound..<row + 1
      } else {
        part.append(row..<row + 1)
      }
    }
    return part
  }
}
