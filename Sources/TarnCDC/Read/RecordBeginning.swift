import TarnBytes

/// Where, behind a broken record, another may begin.
enum RecordBeginning {
  /// An object; `isCertain` where it cannot be part of another one.
  case object(at: Int, isCertain: Bool)
  /// A line that begins with something else.
  case line(at: Int)
  /// Whether a record begins there is only told by text that is not in memory.
  case undecided(at: Int)

  /// The members of change records at their top level.
  private static let members = [
    "awsRegion", "dynamodb", "eventID", "eventName", "eventSource", "eventSourceARN", "eventVersion",
    "recordFormat", "tableName", "userIdentity",
  ].map { Array($0.utf8) }

  /// The next beginning at or behind an offset; nil where the text has none.
  ///
  /// An object begins a record where `}` stands before it, since within another object there would be a comma, or where
  /// it stands at the begin of a line: what is within others is written without line ends, or indented. A change
  /// record is also told by its first member wherever it stands; that may be an attribute's value, as long as the
  /// object as a whole is no change record.
  static func next(
    in text: RawSpan, from start: Int, isLast: Bool, _ shape: RecordShape
  ) -> RecordBeginning? {
    text.withUnsafeBytes { bytes in
      var position = start
      while position < bytes.count {
        switch bytes[position] {
        case 0x0a:
          guard position + 1 < bytes.count else { return isLast ? nil : .undecided(at: position) }
          if beginsLine(bytes[position + 1]) { return .line(at: position + 1) }
        case 0x7b:
          if isCertain(bytes, position) { return .object(at: position, isCertain: true) }
          guard shape == .changeRecord else { break }
          switch hasKnownMember(bytes, position) {
          case true?: return .object(at: position, isCertain: false)
          case nil where !isLast: return .undecided(at: position)
          default: break
          }
        default: break
        }
        position += 1
      }
      return nil
    }
  }

  /// Whether a byte at the begin of a line begins something that is neither an object, which is found by itself, nor
  /// the end of one that is written over several lines.
  private static func beginsLine(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, 0x0a, 0x0d, 0x7b, 0x7d, 0x5d, 0x2c: false
    default: true
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
  }

  private static func isCertain<Bytes: BidirectionalCollection>(_ bytes: Bytes, _ position: Int) -> Bool
  where Bytes.Element == UInt8, Bytes.Index == Int {
    guard position > bytes.startIndex else { return false }
    if bytes[position - 1] == 0x0a { return true }
    return bytes[..<position].last { !isBlank($0) } == 0x7d
  }

  /// Whether an object's first member is one of a change record's; nil where the text ends before that is told.
  private static func hasKnownMember<Bytes: RandomAccessCollection>(_ bytes: Bytes, _ position: Int) -> Bool?
  where Bytes.Element == UInt8, Bytes.Index == Int {
    var rest = bytes[(position + 1)...].drop(while: isBlank)
    guard let quote = rest.popFirst() else { return nil }
    guard quote == 0x22 else { return false }
    var isCut = false
    for member in members {
      let matching = zip(rest, member).prefix { $0 == $1 }.count
      if matching == rest.count, matching <= member.count { isCut = true }
      guard matching == member.count else { continue }
      var behind = rest.dropFirst(matching)
      guard let end = behind.popFirst() else { return nil }
      guard end == 0x22 else { continue }
      guard let colon = behind.first(where: { !isBlank($0) }) else { return nil }
      if colon == 0x3a { return true }
    }
    return isCut ? nil : false
  }
}

/// Text that is passed over behind a broken record.
struct RecordPassage {
  /// What is wrong with the record.
  let reason: RejectionReason
  /// Records that seem to begin in it, of what was not handed out yet.
  var records = 1
  /// Offset in the file of the first piece, once that was handed out.
  var first: Int?
  /// How far behind the text that was not handed out yet no record begins.
  var searched = 1
  /// Whether a record may begin right there, which is told by text that is not in memory, and if so whether it must.
  var pending: Bool?

  /// Why the search ended.
  enum Stop {
    /// A record was taken, and stood there.
    case taken(Range<Int>)
    /// An object stands there that is rejected itself.
    case rejected(Range<Int>, RejectionReason)
    /// A line begins there.
    case line(Int)
    /// More text is needed; no record begins before this offset.
    case needsMore(Int)
  }

  init(_ reason: RejectionReason) { self.reason = reason }
}
