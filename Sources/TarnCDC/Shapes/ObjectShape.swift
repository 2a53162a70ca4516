import TarnBytes

/// What a JSON object is, by its members.
enum ObjectShape: Sendable, Hashable {
  case record(ChangeShape)
  /// It carries records.
  case envelope

  /// Members that tell shapes apart.
  private struct Seen: OptionSet {
    let rawValue: UInt32
    static let body = Seen(rawValue: 1)
    static let records = Seen(rawValue: 1 << 1)
    static let kinesis = Seen(rawValue: 1 << 2)
    static let rawData = Seen(rawValue: 1 << 3)
    static let data = Seen(rawValue: 1 << 4)
    static let carrier = Seen(rawValue: 1 << 5)
    static let item = Seen(rawValue: 1 << 6)
    static let images = Seen(rawValue: 1 << 7)
    static let eventName = Seen(rawValue: 1 << 8)
    static let operation = Seen(rawValue: 1 << 9)
    static let row = Seen(rawValue: 1 << 10)
    static let payload = Seen(rawValue: 1 << 11)
    static let dms = Seen(rawValue: 1 << 12)
    static let letter = Seen(rawValue: 1 << 13)
    static let reason = Seen(rawValue: 1 << 14)

    /// Whether a record of a shape may have these members.
    func fits(_ shape: ChangeShape) -> Bool {
      switch shape {
      case .dynamodb: contains(.body)
      case .export: contains(.item) || contains(.images)
      case .debezium: isSuperset(of: [.operation, .row]) || contains(.payload)
      case .dms: contains(.dms)
      case .eventName: contains(.eventName)
      }
    }
  }

  /// Looks at the object that comes next; the scanner stands behind it then.
  ///
  /// - Parameter named: The shape that records must have; an object that could have it is one, whatever else it could be.
  /// - Returns: Nil where it is of no known shape.
  @_lifetime(scanner: copy scanner)
  static func detect(
    _ scanner: inout JSONScanner, _ named: ChangeShape?
  ) throws(JSONError) -> ObjectShape? {
    var seen: Seen = []
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      seen.formUnion(look(key, try scanner.peek(), scanner))
      try scanner.skipValue()
    }
    if let named, seen.fits(named) { return .record(named) }
    // Beside this member stand attributes, which may have the names of other shapes' members.
    if seen.fits(.eventName) { return .record(.eventName) }
    if seen.fits(.dynamodb) { return .record(.dynamodb) }
    if !seen.isDisjoint(with: [.records, .kinesis, .rawData]) || seen.isSuperset(of: [.data, .carrier]) {
      return .envelope
    }
    // A row with its operation may have columns that are called as Debezium's members.
    if let shape = [ChangeShape.export, .debezium, .dms].first(where: { seen.fits($0) }) {
      return .record(shape)
    }
    return seen.isSuperset(of: [.letter, .reason]) ? .envelope : nil
  }

  private static func look(_ key: JSONText, _ kind: JSONKind, _ scanner: borrowing JSONScanner) -> Seen {
    switch kind {
    case .object:
      if scanner.matches(key, "dynamodb") { return .body }
      if scanner.matches(key, "kinesis") { return .kinesis }
      if scanner.matches(key, "Item") { return .item }
      if scanner.matches(key, "Keys") { return .images }
      if scanner.matches(key, "before") || scanner.matches(key, "after") { return .row }
      if scanner.matches(key, "payload") { return .payload }
    case .array:
      if scanner.matches(key, "Records") || scanner.matches(key, "records") { return .records }
    case .string:
      if scanner.matches(key, "rawData") { return .rawData }
      if scanner.matches(key, "data") || scanner.matches(key, "Data") { return .data }
      if scanner.matches(key, "recordId") || scanner.matches(key, "SequenceNumber") { return .carrier }
      if scanner.matches(key, "event_name") { return .eventName }
      if scanner.matches(key, "record") { return .letter }
      if scanner.matches(key, "reason") { return .reason }
      if scanner.matches(key, "op") { return .operation }
      if scanner.matches(key, "Op") { return .dms }
    default: break
    }
    return []
  }
}
