public import TarnColumns

/// A consumer of records that makes rows of them, some of whose columns are found as records are read.
package protocol RowBuilder: RecordConsumer {
  /// Number of rows in the present batch, rejected ones too.
  var rowCount: Int { get }
  /// What the records so far have told of columns.
  var found: FoundColumns { get }
  /// The rows that a table refuses, where their records are looked for.
  var refusals: RowRefusals? { get set }
}

/// The columns of records, which grow as records bring others, or numbers that need more digits.
public struct GrowingColumns: Sendable {
  /// The columns as values are read for them.
  public private(set) var schema: Schema
  /// The types of those that may get more digits: the table's, or what records made of them.
  public private(set) var widening: [String: DataType]

  /// Columns that get no wider.
  public init(_ schema: Schema) {
    self.schema = schema
    widening = [:]
  }

  /// Columns of numbers that get more digits where records need them.
  ///
  /// - Parameters:
  ///   - schema: All columns.
  ///   - table: Those of a table that is there; nil for one that is to have the types of its first rows.
  ///   - texts: The columns whose texts make keys and partitions, which stay as they are.
  public init(_ schema: Schema, widening table: Schema?, texts: [String]) {
    self.schema = schema
    let fields = (table?.fields ?? []).filter { !texts.contains($0.name) }
    widening = Dictionary(fields.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
  }

  /// A table's columns as values are read for them that may widen these: as wide as values of JSON can be, so that the
  /// table decides by the values.
  public static func parsed(_ schema: Schema) -> Schema {
    var wide = schema
    for index in wide.fields.indices { wide.fields[index].type = parsed(wide.fields[index].type) }
    return wide
  }

  static func parsed(_ type: DataType) -> DataType {
    switch type {
    case .int32: .int64
    case .float: .double
    case .decimal(_, let scale): .decimal(precision: DataType.greatestPrecision, scale: scale)
    default: type
    }
  }

  /// Takes the columns that a builder has found, behind those that are there, and the wider types.
  public mutating func grow(by found: FoundColumns) {
    schema.fields += found.newFields.map(\.field)
    for field in found.widerFields {
      widening[field.name] = field.type
      if let index = schema.index(of: field.name) { schema.fields[index].type = Self.parsed(field.type) }
    }
  }
}
