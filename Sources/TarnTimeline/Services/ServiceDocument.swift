import TarnAvro

/// What a file of the timeline holds of a service that plans, or has done, something: one record of Avro.
///
/// Fields that it does not know are read over, so that later writers may have more; those that are missing or null
/// are as if they held nothing.
protocol ServiceDocument: Sendable, Hashable {
  /// The schema, as Hudi has it.
  static var schema: String { get }

  init(record: AvroRecord) throws(AvroError)

  /// The record.
  var record: AvroRecord { get }
}

extension ServiceDocument {
  /// Reads the one record of a container file.
  init(container bytes: [UInt8]) throws(AvroError) {
    let values = try AvroContainer(bytes).values
    guard values.count == 1, case .record(let record) = values.first else {
      throw AvroError(.malformed, at: 0, "the file must hold one record, and holds \(values.count) values")
    }
    try self.init(record: record)
  }

  /// The container file with the record.
  func container() throws(AvroError) -> [UInt8] {
    try AvroContainer.bytes(of: [.record(record)], schema: Self.schema)
  }
}

/// An instant and the action that it is of, by their names.
///
/// Source: `HoodieInstantInfo`.
package struct InstantInfo: Sendable, Hashable {
  /// The instant's digits.
  package var instant: String
  /// The action's name, as `commit`.
  package var action: String

  /// Makes one of its names.
  package init(instant: String, action: String) {
    self.instant = instant
    self.action = action
  }

  init(record: AvroRecord) throws(AvroError) {
    instant = try record.required(record.text("commitTime"), "commitTime")
    action = try record.required(record.text("action"), "action")
  }

  var value: AvroValue { .record(["commitTime": .string(instant), "action": .string(action)]) }
}

extension AvroValue {
  static func text(_ text: String?) -> AvroValue { text.map { .string($0) } ?? .null }

  static func number(_ number: Int32?) -> AvroValue { number.map { .int($0) } ?? .null }

  static func texts(_ texts: [String]) -> AvroValue { .array(texts.map { .string($0) }) }

  static func boolean(_ truth: Bool?) -> AvroValue { truth.map { .boolean($0) } ?? .null }

  /// A map of what the values become.
  static func map<Value>(_ map: OrderedMap<Value>, _ value: (Value) -> AvroValue) -> AvroValue {
    .map(map.pairs.map { Entry($0.key, value($0.value)) })
  }

  /// A map, or null where there is none.
  static func map<Value>(_ map: OrderedMap<Value>?, _ value: (Value) -> AvroValue) -> AvroValue {
    map.map { .map($0, value) } ?? .null
  }
}

extension AvroRecord {
  /// A number of 32 bits; nil where there is none.
  func number(_ name: String) throws(AvroError) -> Int32? {
    guard let whole = try whole(name) else { return nil }
    return try required(Int32(exactly: whole), name)
  }

  /// A map of texts to sizes; nil where there is none.
  func sizes(_ name: String) throws(AvroError) -> OrderedMap<Int64>? {
    try map(name) { value throws(AvroError) in
      guard case .long(let size) = value else {
        throw AvroError(.mismatch, field: name, "a size is no whole number")
      }
      return size
    }
  }

  /// A map of texts to texts; nil where there is none.
  func labels(_ name: String) throws(AvroError) -> OrderedMap<String>? {
    try map(name) { value throws(AvroError) in
      guard case .string(let text) = value else {
        throw AvroError(.mismatch, field: name, "a value is no text")
      }
      return text
    }
  }

  /// A map of texts to lists of texts; nil where there is none.
  func lists(_ name: String) throws(AvroError) -> OrderedMap<[String]>? {
    try map(name) { value throws(AvroError) in
      try AvroRecord("", [.init(name, value)]).texts(name) ?? []
    }
  }

  /// A map of texts to records; nil where there is none.
  func records<Value>(
    under name: String, _ make: (AvroRecord) throws(AvroError) -> Value
  ) throws(AvroError) -> OrderedMap<Value>? {
    try map(name) { value throws(AvroError) in
      guard case .record(let record) = value else {
        throw AvroError(.mismatch, field: name, "a value is no record")
      }
      return try make(record)
    }
  }

  /// A map of texts to what its values become; nil where there is none.
  func map<Value>(
    _ name: String, _ make: (AvroValue) throws(AvroError) -> Value
  ) throws(AvroError) -> OrderedMap<Value>? {
    guard let entries = try entries(name) else { return nil }
    var map = OrderedMap<Value>()
    for entry in entries { map[entry.key] = try make(entry.value) }
    return map
  }
}
