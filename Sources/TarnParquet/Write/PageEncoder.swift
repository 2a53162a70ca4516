import TarnColumns

/// Encodes the values of one column chunk, page by page, and decides how.
///
/// A dictionary is tried first; ``DictionaryState`` says when it pays. Once it outgrows its limits, this and
/// all later pages are of another kind: a dictionary page never follows one, since Spark's vectorised reader
/// then returns wrong values.
///
/// Without a dictionary, integers and times are PLAIN or DELTA_BINARY_PACKED, strings PLAIN or
/// DELTA_LENGTH_BYTE_ARRAY, whichever is smaller once a page is compressed. Spark's vectorised reader, Trino
/// (and so Athena), DuckDB, polars, pyarrow and hudi-rs read all of these. Never written: BYTE_STREAM_SPLIT,
/// which Spark's vectorised reader refuses; DELTA_BYTE_ARRAY on decimals of a fixed length, which polars
/// refuses.
protocol PageEncoder: Sendable {
  /// Appends the encoded values of chosen rows, none of them null, and begins a dictionary where that pays.
  ///
  /// `cells` tells how many there are in the page, nulls among them.
  mutating func encode(
    _ column: Column, _ rows: ValueRows, cells: Int, _ compressor: inout PageCompressor,
    into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues
  /// Whether it is settled how the chunk's values are encoded.
  var isDecided: Bool { get }
  /// Number of the dictionary's entries; zero where there is none.
  var dictionaryCount: Int { get }
  /// About how many bytes the dictionary takes.
  var dictionaryByteCount: Int { get }
  /// The dictionary's entries in PLAIN.
  func dictionaryPage() -> [UInt8]
  /// Goes on with a dictionary of another file, given in PLAIN.
  mutating func adopt(dictionary: RawSpan, count: Int) throws(FormatError)
  /// Encodes further pages in an encoding, as far as this one has it, and PLAIN else; a dictionary stays for
  /// the pages before.
  mutating func settle(_ encoding: Encoding)
  /// How values can be replaced in a page without a look at the others; nil where they cannot.
  var patchable: PatchableValues? { get }
  /// The values of chosen rows in PLAIN, none of them null, and bounds of them.
  ///
  /// Where `areWritten` is false, only the bounds are wanted, and the values may be left out.
  func plain(_ column: Column, _ rows: [Int32], areWritten: Bool) throws(FormatError) -> (
    values: [UInt8], bounds: EncodedBounds?
  )
  /// About how many bytes the values of chosen rows take in PLAIN.
  func plainByteCount(_ column: Column, _ rows: [Int32]) -> Int
  /// The positions in the dictionary of the values of chosen rows, none of them null, which are added where they
  /// are not there; nil where the dictionary might grow too large.
  mutating func entries(of column: Column, _ rows: [Int32]) throws(FormatError) -> [UInt32]?
  /// An entry of the dictionary as bounds have it.
  func entry(_ position: Int) -> [UInt8]
  /// Whether all entries of another dictionary surely have room in this one.
  func hasRoom(for entries: DictionaryStrings.Entries) -> Bool
  /// Adds the hashes of values to what a Bloom filter is made of.
  mutating func collectHashes()
  /// The hashes of the chunk's values, each at least once; empty where they are not collected.
  func hashes() -> [UInt64]
  /// Begins another chunk.
  mutating func reset()
}

extension PageEncoder {
  func hasRoom(for entries: DictionaryStrings.Entries) -> Bool { false }
  func plainByteCount(_ column: Column, _ rows: [Int32]) -> Int { 16 * rows.count }
}

/// Values that can be replaced in a page as it is encoded.
enum PatchableValues {
  /// Of so many bytes each.
  case fixed(width: Int)
  case strings
}

/// The rows of a column that a page takes.
enum ValueRows {
  case range(Range<Int>)
  case chosen([Int32])

  var count: Int {
    switch self {
    case .range(let range): range.count
    case .chosen(let rows): rows.count
    }
  }

  /// The rows for loops that take either kind.
  var list: RowList {
    switch self {
    case .range(let range): RowList(count: range.count, start: range.lowerBound, chosen: [])
    case .chosen(let rows): RowList(count: rows.count, start: 0, chosen: rows)
    }
  }
}

/// Rows that follow one another, or chosen ones.
struct RowList {
  let count: Int
  fileprivate let start: Int
  fileprivate let chosen: [Int32]

  @inline(__always)
  subscript(_ index: Int) -> Int { chosen.isEmpty ? start &+ index : Int(chosen[index]) }

  /// Whether the rows follow one another.
  var isRange: Bool { chosen.isEmpty }
}

/// How a page's values were encoded, and bounds of them.
struct EncodedValues {
  var encoding: Encoding
  var bounds: EncodedBounds?
}

/// Bounds of values in PLAIN, and whether they are values that occur.
struct EncodedBounds: Sendable {
  var minimum: [UInt8]
  var maximum: [UInt8]
  var isMinimumExact = true
  var isMaximumExact = true
}

/// How the values of a chunk are encoded.
enum DictionaryState: Sendable {
  case undecided, dictionary
  /// Without a dictionary, in this encoding.
  case direct(Encoding)

  /// Greatest number of entries and bytes of a dictionary.
  static let entryLimit = 65_536
  static let byteLimit = 1 << 20

  var isDecided: Bool {
    if case .undecided = self { false } else { true }
  }
  var mayHaveDictionary: Bool {
    if case .direct = self { false } else { true }
  }
}

/// What a dictionary's growth is judged by.
struct DictionaryPolicy: Sendable {
  let choice: ParquetWriteOptions.EncodingChoice
  /// Entries and bytes of a dictionary taken over from another file, which may be larger than ours.
  private var adoptedEntries = 0
  private var adoptedBytes = 0
  /// Values of all pages so far.
  private var values = 0

  init(_ choice: ParquetWriteOptions.EncodingChoice) { self.choice = choice }

  var triesDictionary: Bool { choice == .automatic || choice == .dictionary }

  /// Whether a dictionary surely stays within its limits.
  func allows(entries: Int, bytes: Int) -> Bool {
    triesDictionary && entries <= max(DictionaryState.entryLimit, adoptedEntries)
      && bytes <= max(DictionaryState.byteLimit, adoptedBytes)
  }

  mutating func adopt(entries: Int, bytes: Int) {
    adoptedEntries = entries
    adoptedBytes = bytes
  }

  mutating func reset() {
    adoptedEntries = 0
    adoptedBytes = 0
    values = 0
  }

  /// Whether the dictionary is kept which a page of `count` values among `cells` has made.
  ///
  /// It pays where at most half of the values so far are distinct; where a page is almost empty, that is
  /// left to later ones.
  mutating func keeps(entries: Int, bytes: Int, count: Int, cells: Int) -> Bool {
    values += count
    // One that was taken over may be larger, and then does not grow.
    guard allows(entries: entries, bytes: bytes) else { return false }
    if choice == .dictionary { return true }
    return adoptedEntries > 0 || entries * 2 <= values || values * 8 < cells
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
