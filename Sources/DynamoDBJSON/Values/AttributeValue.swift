/// A value of a DynamoDB attribute: all ten types, exact.
///
/// ```swift
/// let value = try AttributeValue(json: #"{"M":{"price":{"N":"12.50"}}}"#)
/// print(value.encoded().count)   // the same JSON as bytes
/// print(value.plainJSON())       // {"price":12.5}
/// ```
///
/// Texts are compared byte by byte as DynamoDB does, not by canonical equivalence as `String` does, and
/// sets without regard to order.
public indirect enum AttributeValue: Sendable {
  /// `S`, text.
  case string(String)
  /// `N`, a number.
  case number(DynamoDBNumber)
  /// `B`, bytes.
  case binary([UInt8])
  /// `BOOL`, true or false.
  case boolean(Bool)
  /// `NULL`.
  case null
  /// `M`, attributes by name.
  case map(Item)
  /// `L`, values of any types in order.
  case list([AttributeValue])
  /// `SS`, distinct texts.
  case stringSet([String])
  /// `NS`, distinct numbers.
  case numberSet([DynamoDBNumber])
  /// `BS`, distinct bytes.
  case binarySet([[UInt8]])

  /// The deepest nesting that is read; DynamoDB itself allows 32 levels.
  public static let depthLimit = 64

  /// The deepest nesting of maps and lists that DynamoDB stores, below an item.
  public static let storedDepthLimit = 32

  /// The type tag that DynamoDB JSON writes.
  public var tag: String {
    switch self {
    case .string: "S"
    case .number: "N"
    case .binary: "B"
    case .boolean: "BOOL"
    case .null: "NULL"
    case .map: "M"
    case .list: "L"
    case .stringSet: "SS"
    case .numberSet: "NS"
    case .binarySet: "BS"
    }
  }
}

extension AttributeValue: Hashable {
  /// Whether two values have one type and are equal.
  public static func == (left: AttributeValue, right: AttributeValue) -> Bool {
    switch (left, right) {
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.number(let a), .number(let b)): a == b
    case (.binary(let a), .binary(let b)): a == b
    case (.boolean(let a), .boolean(let b)): a == b
    case (.null, .null): true
    case (.map(let a), .map(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.stringSet(let a), .stringSet(let b)): sorted(a).elementsEqual(sorted(b)) { $0.elementsEqual($1) }
    case (.numberSet(let a), .numberSet(let b)): a.sorted() == b.sorted()
    case (.binarySet(let a), .binarySet(let b)): sorted(a) == sorted(b)
    default: false
    }
  }

  /// Feeds the type and the value.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(tag)
    switch self {
    case .string(let text): hasher.combine(Array(text.utf8))
    case .number(let number): hasher.combine(number)
    case .binary(let bytes): hasher.combine(bytes)
    case .boolean(let value): hasher.combine(value)
    case .null: break
    case .map(let item): hasher.combine(item)
    case .list(let values): hasher.combine(values)
    case .stringSet(let texts): for text in Self.sorted(texts) { hasher.combine(Array(text)) }
    case .numberSet(let numbers): hasher.combine(numbers.sorted())
    case .binarySet(let members): hasher.combine(Self.sorted(members))
    }
  }

  static func sorted(_ texts: [String]) -> [String.UTF8View] {
    texts.map(\.utf8).sorted { $0.lexicographicallyPrecedes($1) }
  }

  static func sorted(_ members: [[UInt8]]) -> [[UInt8]] {
    members.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// The attributes of an item, or of a map, by name.
///
/// Names are kept in the order of their UTF-8 bytes, so that equal items are written equally.
public struct Item: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// A name and its value.
  public struct Attribute: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public var value: AttributeValue

    /// Whether names and values are equal, names byte by byte.
    public static func == (left: Attribute, right: Attribute) -> Bool {
      left.name.utf8.elementsEqual(right.name.utf8) && left.value == right.value
    }

    /// Feeds name and value.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(Array(name.utf8))
      hasher.combine(value)
    }
  }

  /// The attributes in the order of their names' UTF-8 bytes.
  public private(set) var attributes: [Attribute] = []

  /// An item without attributes.
  public init() {}

  /// An item of names and values; of a name given twice the last value stays.
  public init(dictionaryLiteral elements: (String, AttributeValue)...) {
    for (name, value) in elements { self[name] = value }
  }

  /// Attributes of which no two have one name.
  init(distinct attributes: [Attribute]) {
    self.attributes = attributes.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// Number of attributes.
  public var count: Int { attributes.count }

  /// The value of an attribute; nil where there is none of that name.
  ///
  /// Setting nil removes it.
  public subscript(_ name: String) -> AttributeValue? {
    get {
      let index = position(of: name)
      return isHeld(name, at: index) ? attributes[index].value : nil
    }
    set {
      let index = position(of: name)
      if isHeld(name, at: index) { attributes.remove(at: index) }
      if let newValue { attributes.insert(Attribute(name: name, value: newValue), at: index) }
    }
  }

  private func isHeld(_ name: String, at index: Int) -> Bool {
    index < attributes.count && attributes[index].name.utf8.elementsEqual(name.utf8)
  }

  /// The first position whose name does not precede `name`.
  private func position(of name: String) -> Int {
    var (low, high) = (0, attributes.count)
    while low < high {
      let middle = (low + high) / 2
      if attributes[middle].name.utf8.lexicographicallyPrecedes(name.utf8) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
