// DynamoDBEncoder and DynamoDBDecoder take these values as they are. With other coders, such as JSONEncoder, they are
// what DynamoDB JSON writes.

extension AttributeValue: Codable {
  private struct Tag: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads an object with one type tag, such as `{"S":"text"}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Tag.self)
    let tags = container.allKeys
    func refused(_ mistake: Mistake) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: mistake.reason))
    }
    guard let tag = tags.first, tags.count == 1 else { throw refused(.notOneType) }
    func bytes(_ text: String) throws -> [UInt8] {
      guard let bytes = AttributeValue.bytes(base64: text) else { throw refused(.badBase64) }
      return bytes
    }
    func set<Member: Decodable>(_ type: Member.Type) throws -> [Member] {
      let members = try container.decode([Member].self, forKey: tag)
      if members.isEmpty { throw refused(.emptySet) }
      return members
    }
    switch tag.stringValue {
    case "S": self = .string(try container.decode(String.self, forKey: tag))
    case "N": self = .number(try container.decode(DynamoDBNumber.self, forKey: tag))
    case "B": self = .binary(try bytes(container.decode(String.self, forKey: tag)))
    case "BOOL": self = .boolean(try container.decode(Bool.self, forKey: tag))
    case "NULL":
      guard try container.decode(Bool.self, forKey: tag) else { throw refused(.nullNotTrue) }
      self = .null
    case "M": self = .map(try container.decode(Item.self, forKey: tag))
    case "L": self = .list(try container.decode([AttributeValue].self, forKey: tag))
    case "SS": self = .stringSet(try set(String.self))
    case "NS": self = .numberSet(try set(DynamoDBNumber.self))
    case "BS": self = .binarySet(try set(String.self).map(bytes))
    default: throw refused(.unknownType(String(tag.stringValue.prefix(32))))
    }
  }

  /// Writes an object with one type tag.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Tag.self)
    let key = Tag(stringValue: tag)
    switch self {
    case .string(let text): try container.encode(text, forKey: key)
    case .number(let number): try container.encode(number, forKey: key)
    case .binary(let bytes): try container.encode(AttributeValue.base64(bytes), forKey: key)
    case .boolean(let value): try container.encode(value, forKey: key)
    case .null: try container.encode(true, forKey: key)
    case .map(let item): try container.encode(item, forKey: key)
    case .list(let values): try container.encode(values, forKey: key)
    case .stringSet(let texts): try container.encode(texts, forKey: key)
    case .numberSet(let numbers): try container.encode(numbers, forKey: key)
    case .binarySet(let members): try container.encode(members.map(AttributeValue.base64), forKey: key)
    }
  }
}

extension Item: Codable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads an object of attribute values by name.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    self.init()
    for name in container.allKeys {
      self[name.stringValue] = try container.decode(AttributeValue.self, forKey: name)
    }
  }

  /// Writes an object of attribute values by name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    for attribute in attributes {
      try container.encode(attribute.value, forKey: Name(stringValue: attribute.name))
    }
  }
}

extension DynamoDBNumber: Codable {
  /// Reads the text of a number.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do { try self.init(container.decode(String.self)) } catch let error as DynamoDBJSONError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.reason)
    }
  }

  /// Writes the text of the number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
