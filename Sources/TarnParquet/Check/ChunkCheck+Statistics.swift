extension ChunkCheck {
  /// Checks the chunk's null count and bounds.
  mutating func checkStatistics() {
    guard let stored = chunk.statistics else { return }
    var all: ValueBounds?
    for bounds in pages.compactMap(\.bounds) {
      if all == nil { all = bounds } else { all?.join(bounds) }
    }
    check(
      stored, empty: pages.reduce(0) { $0 + $1.emptyCount }, nulls: pages.reduce(0) { $0 + $1.nullCount },
      all,
      "statistics")
  }

  /// Checks the null count and bounds of a chunk or of a page, as its header has them.
  mutating func check(
    _ stored: ChunkStatistics, empty: Int, nulls: Int, _ found: ValueBounds?, _ place: String,
    page: Int? = nil, at offset: Int? = nil
  ) {
    if let declared = stored.nullCount, !isNullCount(declared, empty, nulls) {
      find("\(place): null_count is \(declared), there are \(empty)", page: page, at: offset)
    }
    let legacy = ParquetFile.takesLegacyBounds(leaf)
    check(
      stored.minimum ?? (legacy ? stored.legacyMinimum : nil), isMaximum: false, found,
      isExact: stored.minimum != nil && stored.isMinimumExact == true, place, page: page, at: offset)
    check(
      stored.maximum ?? (legacy ? stored.legacyMaximum : nil), isMaximum: true, found,
      isExact: stored.maximum != nil && stored.isMaximumExact == true, place, page: page, at: offset)
  }

  /// Checks that a bound is one.
  mutating func check(
    _ bytes: [UInt8]?, isMaximum: Bool, _ found: ValueBounds?, isExact: Bool = false, _ place: String,
    page: Int? = nil, at offset: Int? = nil
  ) {
    let name = isMaximum ? "maximum" : "minimum"
    guard let bytes, let found, leaf.order != .undefined else { return }
    if let width = leaf.plainWidth, bytes.count != width {
      return find(
        "\(place): the \(name) has \(bytes.count) bytes, a value has \(width)", page: page, at: offset)
    }
    guard let bound = ParquetFile.bound(bytes, leaf, isMaximum: isMaximum) else { return }
    let isWrong = isMaximum ? bound.isLess(found.maximum) : found.minimum.isLess(bound)
    if isWrong {
      find(
        "\(place): a value lies \(isMaximum ? "above the maximum" : "below the minimum")", page: page,
        at: offset)
    } else if isExact, bound != (isMaximum ? found.maximum : found.minimum) {
      find("\(place): the \(name) is said to be exact, and no value equals it", page: page, at: offset)
    }
  }
}

extension LeafColumn {
  /// Bytes of a value as PLAIN stores it as a bound; nil where values differ.
  fileprivate var plainWidth: Int? {
    switch physical {
    case .boolean: 1
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    // Strings may be cut short.
    case .byteArray: nil
    case .fixedByteArray: conversion == .none ? nil : byteLength
    }
  }
}
