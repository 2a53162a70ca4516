import TarnBytes
import TarnColumns

/// Avro schemas as Hudi writes them, to and from the schemas of columns.
package enum AvroSchema {
  /// A table's name as Avro allows it: every other character as two underscores.
  ///
  /// Source: `HoodieAvroUtils.sanitizeName`.
  package static func sanitized(_ name: String) -> String {
    var out = ""
    for (position, character) in name.unicodeScalars.enumerated() {
      switch character {
      case "a"..."z", "A"..."Z", "_": out.unicodeScalars.append(character)
      case "0"..."9" where position > 0: out.unicodeScalars.append(character)
      default: out += "__"
      }
    }
    return out
  }

  /// The name Hudi gives the record of a table's rows.
  package static func recordName(ofTable table: String) -> String { sanitized(table) + "_record" }

  /// The namespace Hudi gives the record of a table's rows.
  package static func namespace(ofTable table: String) -> String { "hoodie." + sanitized(table) }

  /// The schema text for a table's rows, compact, in Hudi's conventions.
  ///
  /// - Parameters:
  ///   - schema: The columns.
  ///   - table: The table's name; the record's name and namespace follow from it.
  ///   - withMetaColumns: Whether the five meta columns come first, as in Parquet footers.
  package static func text(of schema: Schema, table: String, withMetaColumns: Bool = false) -> String {
    text(
      of: schema, recordName: recordName(ofTable: table), namespace: namespace(ofTable: table),
      withMetaColumns: withMetaColumns)
  }

  /// The schema text for records, compact, in Hudi's conventions.
  ///
  /// Every definition stands where it is used, under a name of its own: some readers follow no
  /// references by name.
  package static func text(
    of schema: Schema, recordName: String, namespace: String, withMetaColumns: Bool = false
  ) -> String {
    var fields: [JSONValue] = []
    if withMetaColumns {
      fields = MetaColumns.all.map {
        .members([
          "name": .string($0), "type": .array([.string("null"), .string("string")]),
          "doc": .string(""), "default": .null,
        ])
      }
    }
    let path = namespace + "." + recordName
    fields += schema.fields.map { field(for: $0, in: path) }
    return record(recordName, namespace: namespace, fields: fields).text()
  }

  static func record(_ name: String, namespace: String, fields: [JSONValue]) -> JSONValue {
    .members([
      "type": .string("record"), "name": .string(name), "namespace": .string(namespace),
      "fields": .array(fields),
    ])
  }

  static func field(for field: Field, in path: String) -> JSONValue {
    let type = type(for: field, name: field.name, in: path)
    guard field.isNullable else { return .members(["name": .string(field.name), "type": type]) }
    return .members(["name": .string(field.name), "type": type, "default": .null])
  }

  /// The type of a field, a union with null where it may be null; nested definitions are named after the column.
  static func type(for field: Field, name: String, in path: String) -> JSONValue {
    let bare = bareType(for: field.type, name: name, in: path)
    return field.isNullable ? .array([.string("null"), bare]) : bare
  }

  static func bareType(for type: DataType, name: String, in path: String) -> JSONValue {
    switch type {
    case .boolean: .string("boolean")
    case .int8, .int16, .int32: .string("int")
    case .int64: .string("long")
    case .float: .string("float")
    case .double: .string("double")
    case .string: .string("string")
    case .binary: .string("bytes")
    case .date: logical("int", "date")
    case .time: logical("long", "time-micros")
    case .timestamp(let unit, let zone):
      logical(
        "long",
        (zone == .local ? "local-" : "")
          + (unit == .milliseconds ? "timestamp-millis" : "timestamp-micros"))
    case .decimal(let precision, let scale):
      .members([
        "type": .string("fixed"), "name": .string("fixed"), "namespace": .string(path + "." + name),
        "size": .integer(decimalSize(precision: precision)), "logicalType": .string("decimal"),
        "precision": .integer(precision), "scale": .integer(scale),
      ])
    case .list(let element):
      .members(["type": .string("array"), "items": self.type(for: element, name: name, in: path)])
    case .map(_, let value):
      .members(["type": .string("map"), "values": self.type(for: value, name: name, in: path)])
    case .structure(let fields):
      record(name, namespace: path, fields: fields.map { field(for: $0, in: path + "." + name) })
    }
  }

  static func logical(_ type: String, _ logicalType: String) -> JSONValue {
    .members(["type": .string(type), "logicalType": .string(logicalType)])
  }

  /// The least number of bytes that hold every decimal of that many digits, sign included.
  package static func decimalSize(precision: Int) -> Int {
    var greatest = Int128(0)
    for _ in 0..<min(max(precision, 1), DataType.greatestPrecision) { greatest = greatest * 10 + 9 }
    return (128 - greatest.leadingZeroBitCount) / 8 + 1
  }
}
