import TarnBytes

/// What attributes were whose values came into a column, where the column's type does not tell it.
///
/// A set becomes the same text of JSON as a list, and a number that no type of numbers holds a text as a string does.
/// Who gives items of the table back to DynamoDB needs to know. They are kept under their names beside the names that own
/// columns, in the table's properties: other engines leave entries there alone that they do not know, while a remark in
/// the Avro schema of a commit is gone with the first commit of an engine that makes its schema anew.
struct AttributeKinds: OptionSet, Sendable, Hashable {
  let rawValue: UInt16

  static let string = AttributeKinds(rawValue: 1)
  static let number = AttributeKinds(rawValue: 1 << 1)
  static let binary = AttributeKinds(rawValue: 1 << 2)
  static let boolean = AttributeKinds(rawValue: 1 << 3)
  static let map = AttributeKinds(rawValue: 1 << 4)
  static let list = AttributeKinds(rawValue: 1 << 5)
  static let stringSet = AttributeKinds(rawValue: 1 << 6)
  static let numberSet = AttributeKinds(rawValue: 1 << 7)
  static let binarySet = AttributeKinds(rawValue: 1 << 8)
  /// Numbers that count units since 1970, in a column of timestamps.
  static let seconds = AttributeKinds(rawValue: 1 << 9)
  static let milliseconds = AttributeKinds(rawValue: 1 << 10)
  static let microseconds = AttributeKinds(rawValue: 1 << 11)
  /// Every text of the column is JSON: a string stands in quotes there, so that `"5"` and the number `5` differ.
  static let json = AttributeKinds(rawValue: 1 << 12)

  /// The names by which they are kept: DynamoDB's type tags, and those of units.
  private static let names: [(AttributeKinds, String)] = [
    (.string, "S"), (.number, "N"), (.binary, "B"), (.boolean, "BOOL"), (.map, "M"), (.list, "L"),
    (.stringSet, "SS"), (.numberSet, "NS"), (.binarySet, "BS"), (.seconds, "epoch-seconds"),
    (.milliseconds, "epoch-milliseconds"), (.microseconds, "epoch-microseconds"),
    (.json, "json"),
  ]

  /// Their names.
  var names: [String] { Self.names.filter { contains($0.0) }.map(\.1) }

  init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Those of names; names that are not known are left out.
  init(names: [String]) {
    self = AttributeKinds(Self.names.filter { names.contains($0.1) }.map(\.0))
  }

  /// What a value is; nothing for one of plain JSON, which has fewer kinds than DynamoDB.
  ///
  /// - Parameter text: Its text; of a map, list or set, the attribute value with its tag.
  init(_ value: ScannedValue, _ text: RawSpan) {
    guard value.isAttribute else {
      self = []
      return
    }
    switch value.kind {
    case .string: self = .string
    case .number: self = .number
    case .binary: self = .binary
    case .yes, .no: self = .boolean
    case .attributeDocument: self.init(taggedBy: text)
    case .null, .document: self = []
    }
  }

  private init(taggedBy text: RawSpan) {
    var scanner = JSONScanner(text)
    // It has been scanned before, so that it has a tag.
    guard (try? scanner.beginObject()) != nil, let tag = try? scanner.nextKey() else {
      self = []
      return
    }
    self.init(names: [scanner.string(tag)])
  }

  /// Whether there are values which only JSON tells apart.
  var isMixed: Bool {
    let documents: AttributeKinds = [.map, .list, .stringSet, .numberSet, .binarySet]
    let groups: [AttributeKinds] = [.string, .number, .binary, .boolean, documents]
    return groups.count { !isDisjoint(with: $0) } > 1
  }

  /// Microseconds in the unit that numbers of a column count; nil where no such unit is known.
  var unit: Int64? {
    switch intersection([.seconds, .milliseconds, .microseconds]) {
    case .seconds: 1_000_000
    case .milliseconds: 1_000
    case .microseconds: 1
    default: nil
    }
  }

  /// The plural of a unit's name.
  static func name(ofUnit microseconds: Int64) -> String {
    microseconds == 1_000_000 ? "seconds" : microseconds == 1_000 ? "milliseconds" : "microseconds"
  }

  /// The unit in which a number counts a time between 2000 and 2100, which are far apart in each; nothing for others.
  init(countedBy number: Int64) {
    let times: Range<Int64> = 946_684_800..<4_102_444_800
    if times.contains(number) {
      self = .seconds
    } else if times.contains(number / 1_000) {
      self = .milliseconds
    } else if times.contains(number / 1_000_000) {
      self = .microseconds
    } else {
      self = []
    }
  }
}
