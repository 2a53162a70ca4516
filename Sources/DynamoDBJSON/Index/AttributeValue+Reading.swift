extension AttributeValue {
  /// Reads one value, such as `{"S":"text"}`, which must be the whole text.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json text: String) throws(DynamoDBJSONError) {
    try self.init(json: Array(text.utf8))
  }

  /// Reads one value, which must be all of the bytes.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json bytes: [UInt8]) throws(DynamoDBJSONError) {
    self = try ItemIndex(value: bytes).attributeValue(0)
  }
}

extension Item {
  /// Reads the attributes of an item, such as `{"id":{"N":"1"}}`, which must be the whole text.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json text: String) throws(DynamoDBJSONError) {
    try self.init(json: Array(text.utf8))
  }

  /// Reads the attributes of an item, which must be all of the bytes.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it is none.
  public init(json bytes: [UInt8]) throws(DynamoDBJSONError) {
    self = try ItemIndex(item: bytes).item(0)
  }
}

extension ItemIndex {
  /// The attributes of a map.
  func item(_ node: Int) -> Item {
    Item(distinct: members(node).map { Item.Attribute(name: nameString($0), value: attributeValue($0)) })
  }

  func attributeValue(_ node: Int) -> AttributeValue {
    switch nodes[node].kind {
    case .string: .string(string(node))
    case .number: .number(number(node))
    case .binary: .binary(binary(node))
    case .yes: .boolean(true)
    case .no: .boolean(false)
    case .null: .null
    case .map: .map(item(node))
    case .list: .list(members(node).map { attributeValue($0) })
    case .stringSet: .stringSet(members(node).map { string($0) })
    case .numberSet: .numberSet(members(node).map { number($0) })
    case .binarySet: .binarySet(members(node).map { binary($0) })
    }
  }

  /// A number, whose text has been checked.
  func number(_ node: Int) -> DynamoDBNumber { DynamoDBNumber(checked: text(node)) }
}
