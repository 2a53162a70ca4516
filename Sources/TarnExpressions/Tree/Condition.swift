/// A condition over columns, as SQL has it: null is neither true nor false.
///
/// Build one of columns and values, as in `.column("price") > 100 && !.column("note").isNull`, or parse its text.
public struct Condition: Sendable, Hashable {
  package let expression: Expression

  package init(_ expression: Expression) { self.expression = expression }

  /// A column to compare, as in `.column("price") > 100`.
  public static func column(_ name: String) -> ColumnReference { ColumnReference(name: name) }

  /// The columns that the condition looks at.
  public var columns: Set<String> { expression.columns }

  /// Both conditions.
  public static func && (left: Condition, right: Condition) -> Condition {
    Condition(.call(.and, [left.expression, right.expression]))
  }

  /// Either condition.
  public static func || (left: Condition, right: Condition) -> Condition {
    Condition(.call(.or, [left.expression, right.expression]))
  }

  /// The opposite.
  public static prefix func ! (inner: Condition) -> Condition { Condition(.call(.not, [inner.expression])) }

  /// A column against a value.
  package static func comparison(_ name: String, _ comparison: Comparison, _ literal: Literal) -> Condition {
    Condition(.call(.compare(comparison), [.column(name), .literal(literal)]))
  }

  /// Whether a column is null.
  package static func isNull(_ name: String) -> Condition { Condition(.call(.isNull, [.column(name)])) }

  /// Whether a column has one of these values.
  package static func isIn(_ name: String, _ literals: [Literal]) -> Condition {
    Condition(.call(.isIn, [.column(name)] + literals.map { .literal($0) }))
  }
}

/// A column within a condition.
public struct ColumnReference: Sendable, Hashable {
  /// The column's name.
  public let name: String

  /// A column to compare, as in `.column("price") > 100`.
  public static func column(_ name: String) -> ColumnReference { ColumnReference(name: name) }

  /// Whether the column equals a value.
  public static func == (column: ColumnReference, value: Literal) -> Condition {
    Condition.comparison(column.name, .equal, value)
  }

  /// Whether the column differs from a value.
  public static func != (column: ColumnReference, value: Literal) -> Condition {
    Condition.comparison(column.name, .notEqual, value)
  }

  /// Whether the column is less than a value.
  public static func < (column: ColumnReference, value: Literal) -> Condition {
    Condition.comparison(column.name, .less, value)
  }

  /// Whether the column is at most a value.
  public static func <= (column: ColumnReference, value: Literal) -> Condition {
    Condition.comparison(column.name, .lessOrEqual, value)
  }

  /// Whether the column is greater than a value.
  public static func > (column: ColumnReference, value: Literal) -> Condition {
    Condition.comparison(column.name, .greater, value)
  }

  /// Whether the column is at least a value.
  public static func >= (column: ColumnReference, value: Literal) -> Condition {
    Condition.comparison(column.name, .greaterOrEqual, value)
  }

  /// Whether the column is null.
  public var isNull: Condition { Condition.isNull(name) }

  /// Whether the column has one of these values.
  public func isIn(_ values: [Literal]) -> Condition { Condition.isIn(name, values) }
}
