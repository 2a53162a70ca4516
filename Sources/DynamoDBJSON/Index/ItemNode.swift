/// Where an attribute's name and value stand in the text of an item, or a member of a list or set.
struct ItemNode {
  /// What a value is.
  enum Kind: UInt8 {
    case string, number, binary, yes, no, null, map, list, stringSet, numberSet, binarySet

    /// The type tag that DynamoDB JSON writes.
    var tag: String {
      switch self {
      case .string: "S"
      case .number: "N"
      case .binary: "B"
      case .yes, .no: "BOOL"
      case .null: "NULL"
      case .map: "M"
      case .list: "L"
      case .stringSet: "SS"
      case .numberSet: "NS"
      case .binarySet: "BS"
      }
    }

    /// Whether it is one of the three kinds of sets.
    var isSet: Bool { self == .stringSet || self == .numberSet || self == .binarySet }
  }

  /// Where the name begins, and its bytes.
  var nameStart: UInt32 = 0
  var nameCount: UInt32 = 0
  /// Tells most names apart.
  var nameHash: UInt32 = 0
  /// Where the value's text begins; of a map with many attributes, where their order begins.
  var start: UInt32 = 0
  /// Bytes of the value's text; of maps, lists and sets, the number of members.
  var count: UInt32 = 0
  /// The node behind this one and all that is in it.
  var next: UInt32 = 0
  /// Offset of the value in the text.
  var offset: UInt32 = 0
  var kind = Kind.null
  /// Whether the name had escapes, and stands among the resolved texts.
  var nameIsResolved = false
  /// Whether the value's text had escapes, and stands among the resolved texts.
  var isResolved = false
}
