/// A value of Avro as a tree: plans and metadata of a timeline, not rows.
///
/// A union's value is that of its branch: which branch it is, its case or its name tells.
package indirect enum AvroValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  case bytes([UInt8])
  case string(String)
  case record(AvroRecord)
  case enumeration(String)
  case array([AvroValue])
  case map([Entry])
  case fixed([UInt8])

  /// A value of a map; a key may come twice, as it may in bytes.
  package struct Entry: Sendable, Hashable {
    /// The key.
    package let key: String
    /// The value.
    package let value: AvroValue

    /// Makes an entry.
    package init(_ key: String, _ value: AvroValue) {
      self.key = key
      self.value = value
    }
  }

  /// What the value is called in messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .int, .long: "a whole number"
    case .float, .double: "a floating number"
    case .bytes: "bytes"
    case .string: "a text"
    case .record(let record): "a record \(record.name)"
    case .enumeration: "a symbol"
    case .array: "an array"
    case .map: "a map"
    case .fixed: "bytes of one length"
    }
  }
}

/// A record's values under the names of its fields.
package struct AvroRecord: Sendable, Hashable {
  /// The record's full name; empty where whoever made the value leaves it to the schema.
  package let name: String
  /// The fields, in the order in which they came.
  package let fields: [AvroValue.Entry]

  /// Makes a record.
  package init(_ name: String = "", _ fields: [AvroValue.Entry]) {
    self.name = name
    self.fields = fields
  }

  /// A field's value; nil where the record has no such field, or null in it.
  ///
  /// So a record of an older schema reads as one whose newer fields were left out.
  package subscript(_ name: String) -> AvroValue? {
    guard let value = fields.first(where: { $0.key == name })?.value, value != .null else { return nil }
    return value
  }

  /// The text of a field.
  ///
  /// - Throws: ``AvroError`` where it is none; nil where the field is missing or null.
  package func text(_ name: String) throws(AvroError) -> String? {
    try read(name, "a text") { if case .string(let text) = $0 { text } else { nil } }
  }

  /// The number of a field, of 32 or 64 bits; otherwise as ``text(_:)``.
  package func whole(_ name: String) throws(AvroError) -> Int64? {
    try read(name, "a whole number") {
      switch $0 {
      case .int(let value): Int64(value)
      case .long(let value): value
      default: nil
      }
    }
  }

  /// The truth of a field; otherwise as ``text(_:)``.
  package func boolean(_ name: String) throws(AvroError) -> Bool? {
    try read(name, "a boolean") { if case .boolean(let value) = $0 { value } else { nil } }
  }

  /// The record of a field; otherwise as ``text(_:)``.
  package func record(_ name: String) throws(AvroError) -> AvroRecord? {
    try read(name, "a record") { if case .record(let record) = $0 { record } else { nil } }
  }

  /// The elements of a field; otherwise as ``text(_:)``.
  package func elements(_ name: String) throws(AvroError) -> [AvroValue]? {
    try read(name, "an array") { if case .array(let elements) = $0 { elements } else { nil } }
  }

  /// The entries of a field; otherwise as ``text(_:)``.
  package func entries(_ name: String) throws(AvroError) -> [AvroValue.Entry]? {
    try read(name, "a map") { if case .map(let entries) = $0 { entries } else { nil } }
  }

  /// The texts of a field; otherwise as ``text(_:)``.
  package func texts(_ name: String) throws(AvroError) -> [String]? {
    guard let elements = try elements(name) else { return nil }
    var texts: [String] = []
    texts.reserveCapacity(elements.count)
    for element in elements {
      guard case .string(let text) = element else { throw wrong(name, "an array of texts") }
      texts.append(text)
    }
    return texts
  }

  /// The records of a field; otherwise as ``text(_:)``.
  package func records(_ name: String) throws(AvroError) -> [AvroRecord]? {
    guard let elements = try elements(name) else { return nil }
    var records: [AvroRecord] = []
    records.reserveCapacity(elements.count)
    for element in elements {
      guard case .record(let record) = element else { throw wrong(name, "an array of records") }
      records.append(record)
    }
    return records
  }

  /// What must be there.
  ///
  /// - Throws: ``AvroError`` where it is not.
  package func required<T>(_ value: T?, _ name: String) throws(AvroError) -> T {
    guard let value else {
      throw AvroError(.mismatch, field: name, "there is none, and a record \(self.name) must have one")
    }
    return value
  }

  private func read<T>(
    _ name: String, _ wanted: String, _ take: (AvroValue) -> T?
  ) throws(AvroError) -> T? {
    guard let value = self[name] else { return nil }
    guard let taken = take(value) else { throw wrong(name, wanted) }
    return taken
  }

  private func wrong(_ name: String, _ wanted: String) -> AvroError {
    AvroError(.mismatch, field: name, "it must be \(wanted), and is \(self[name]?.kind ?? "null")")
  }
}

extension AvroRecord: ExpressibleByDictionaryLiteral {
  /// Makes a record, which a schema names, of its fields.
  package init(dictionaryLiteral elements: (String, AvroValue)...) {
    self.init("", elements.map { AvroValue.Entry($0.0, $0.1) })
  }
}
