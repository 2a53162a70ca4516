/// Puts the texts of columns together as lines.
///
/// Column by column the texts are measured first, and copied to their places then, so that neither step asks for the
/// column at each line.
public struct LineAssembly: Sendable {
  /// Bytes of each line; where its next text goes, once there is room.
  private var places: [Int] = []
  /// Where each line ends.
  private var ends: [Int] = []

  /// Makes one without lines.
  public init() {}

  /// Begins with so many lines, of which each has some bytes besides its texts.
  public mutating func begin(lines: Int, bytesEach: Int) {
    places.removeAll(keepingCapacity: true)
    places.append(contentsOf: repeatElement(bytesEach, count: lines))
  }

  /// Adds the lengths of a text a line.
  ///
  /// - Parameter offsets: Where each text begins, and at last where the last one ends.
  public mutating func measure(_ offsets: [Int]) {
    precondition(offsets.count == places.count + 1)
    for line in places.indices { places[line] &+= offsets[line &+ 1] &- offsets[line] }
  }

  /// Makes room for the lines behind other bytes.
  public mutating func open(in out: inout [UInt8]) {
    var place = out.count
    ends.removeAll(keepingCapacity: true)
    for line in places.indices {
      let length = places[line]
      places[line] = place
      place += length
      ends.append(place)
    }
    out.append(contentsOf: repeatElement(0, count: place - out.count))
  }

  /// Copies a text to each line, with bytes before and behind it.
  ///
  /// - Parameters:
  ///   - head: What stands before each text.
  ///   - bytes: All texts.
  ///   - offsets: Where each text begins among these, and at last where the last one ends; they rise.
  ///   - foot: What stands behind each text.
  ///   - out: Where room was made.
  public mutating func copy(
    head: Padded, _ bytes: RawSpan, _ offsets: [Int], foot: Padded, to out: inout [UInt8]
  ) {
    precondition(offsets.count == places.count + 1 && ends.count == places.count)
    precondition(offsets[0] >= 0 && offsets[places.count] <= bytes.byteCount)
    out.withUnsafeMutableBytes { all in
      for line in places.indices {
        // What is copied beyond a text lies in the same line, whose later texts come over it.
        let target = UnsafeMutableRawBufferPointer(rebasing: all[..<ends[line]])
        var place = places[line]
        let start = offsets[line]
        let length = offsets[line &+ 1] &- start
        precondition(length >= 0 && place &+ head.count &+ length &+ foot.count <= target.count)
        CopyBytes.copy(head.bytes.span.bytes, 0, head.count, target, place)
        place &+= head.count
        CopyBytes.copy(bytes, start, length, target, place)
        place &+= length
        CopyBytes.copy(foot.bytes.span.bytes, 0, foot.count, target, place)
        places[line] = place &+ foot.count
      }
    }
  }

  /// A text that is copied often, with room behind it so that sixteen bytes go at once.
  public struct Padded: Sendable {
    let bytes: [UInt8]
    /// Bytes of the text.
    public let count: Int

    /// Pads a text.
    public init(_ text: [UInt8]) {
      bytes = text + [UInt8](repeating: 0, count: 16)
      count = text.count
    }
  }
}
