import TarnColumns

/// Encodes the values of one column chunk, page by page, and decides whether it has a dictionary.
///
/// A dictionary pays where at most half of the first page's values are distinct. Once it outgrows
/// ``DictionaryLimits``, this and all later pages are PLAIN: a dictionary page never follows another kind,
/// since Spark's vectorised reader then returns wrong values.
protocol PageEncoder: Sendable {
  /// Appends the encoded values of rows, without the nulls, of which `valid` are not null.
  mutating func encode(
    _ column: Column, _ rows: Range<Int>, valid: Int, into out: inout [UInt8]
  ) throws(FormatProblem) -> Encoding
  /// Whether it is settled how the chunk's values are encoded.
  var isDecided: Bool { get }
  /// Number of the dictionary's entries; zero where there is none.
  var dictionaryCount: Int { get }
  /// About how many bytes the dictionary takes.
  var dictionaryByteCount: Int { get }
  /// The dictionary's entries in PLAIN.
  func dictionaryPage() -> [UInt8]
  /// Bounds of all values so far.
  func bounds() -> EncodedBounds?
  /// Begins another chunk.
  mutating func reset()
}

/// Bounds of a chunk's values in PLAIN, and whether they are values that occur.
struct EncodedBounds: Sendable {
  var minimum: [UInt8]
  var maximum: [UInt8]
  var isMinimumExact = true
  var isMaximumExact = true
}

/// How large a dictionary may grow.
enum DictionaryLimits {
  static let entries = 65_536
  static let bytes = 1 << 20
}

/// Whether a chunk's pages refer to a dictionary.
enum DictionaryState: Sendable {
  case undecided, dictionary, plain

  /// Whether the dictionary that a page made is kept.
  mutating func decide(entries: Int, bytes: Int, pageValues: Int) {
    let fits = entries <= DictionaryLimits.entries && bytes <= DictionaryLimits.bytes
    switch self {
    case .undecided: self = fits && entries * 2 <= pageValues ? .dictionary : .plain
    case .dictionary: if !fits { self = .plain }
    case .plain: break
    }
  }
}

extension [UInt8] {
  /// Appends indices as a page has them: their width, then runs and groups.
  mutating func appendIndices(_ indices: Span<UInt32>, entries: Int) {
    let width = Swift.max(1, Int.bitWidth - Swift.max(entries - 1, 0).leadingZeroBitCount)
    append(UInt8(width))
    if indices.count > 0 { appendHybrid(indices, width: width) }
  }
}
