import DynamoDBJSON

/// One property of every kind.
struct Everything: Codable, Equatable {
  struct Address: Codable, Equatable {
    var city: String
    var lines: [String]
  }

  enum Color: String, Codable { case red, green, blue }

  var text: String
  var yes: Bool
  var int: Int
  var int8: Int8
  var int16: Int16
  var int32: Int32
  var int64: Int64
  var int128: Int128
  var uint: UInt
  var uint8: UInt8
  var uint16: UInt16
  var uint32: UInt32
  var uint64: UInt64
  var uint128: UInt128
  var double: Double
  var float: Float
  var exact: DynamoDBNumber
  var bytes: [UInt8]
  var address: Address
  var byName: [String: Address]
  var numbers: [Int]
  var nested: [[Double]]
  var blobs: [[UInt8]]
  var optional: String?
  var absent: Int?
  var colors: Set<Color>
  var sizes: Set<Int>
  var prices: Set<DynamoDBNumber>
  var keys: Set<[UInt8]>
  var any: AttributeValue
  var item: Item
  var maybe: [Int?]

  static func sample() throws -> Everything {
    Everything(
      text: "h\u{e9}llo 😀 \"q\" \\ \n\u{1}", yes: true, int: .min, int8: -128, int16: -32768, int32: .min,
      int64: .max, int128: 12_345_678_901_234_567_890_123_456_789_012_345_678, uint: .max, uint8: 255,
      uint16: .max, uint32: .max, uint64: .max, uint128: 1 << 100, double: -0.1, float: 3.4e38,
      exact: try DynamoDBNumber("12.50"), bytes: [0, 1, 254, 255],
      address: .init(city: "Oslo", lines: ["a", ""]),
      byName: ["home": .init(city: "", lines: []), "caf\u{e9}": .init(city: "x", lines: ["y"])],
      numbers: [1, -2, 3], nested: [[], [1.5, 1e100]], blobs: [[], [7]], optional: "here", absent: nil,
      colors: [.red, .blue], sizes: [1, 10, -3],
      prices: [try DynamoDBNumber("1.0"), try DynamoDBNumber("2E+3")], keys: [[1], [2, 3]],
      any: .list([.null, .boolean(false), .stringSet(["b", "a"])]), item: ["n": .number(DynamoDBNumber(1))],
      maybe: [1, nil, 3])
  }
}

/// A class that keeps what its superclass encodes under a name of its own.
class Animal: Codable {
  var legs: Int

  init(legs: Int) { self.legs = legs }
}

final class Dog: Animal {
  var name: String

  private enum CodingKeys: String, CodingKey { case name }

  init(name: String, legs: Int) {
    self.name = name
    super.init(legs: legs)
  }

  required init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    try super.init(from: container.superDecoder())
  }

  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try super.encode(to: container.superEncoder())
    try container.encode(name, forKey: .name)
  }
}

/// Encodes through nested containers, which are filled after the properties behind them.
struct Interleaved: Codable, Equatable {
  var first: [Int]
  var second: Int
  var inner: [String: Int]

  enum Key: String, CodingKey { case first, second, inner }
  struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(first: [Int], second: Int, inner: [String: Int]) {
    (self.first, self.second, self.inner) = (first, second, inner)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    var list = try container.nestedUnkeyedContainer(forKey: .first)
    first = []
    while !list.isAtEnd { first.append(try list.decode(Int.self)) }
    second = try container.decode(Int.self, forKey: .second)
    let map = try container.nestedContainer(keyedBy: Name.self, forKey: .inner)
    inner = [:]
    for key in map.allKeys { inner[key.stringValue] = try map.decode(Int.self, forKey: key) }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    var list = container.nestedUnkeyedContainer(forKey: .first)
    var map = container.nestedContainer(keyedBy: Name.self, forKey: .inner)
    try container.encode(second, forKey: .second)
    for number in first { try list.encode(number) }
    for (name, number) in inner { try map.encode(number, forKey: Name(stringValue: name)) }
  }
}
