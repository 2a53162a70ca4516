/// What is computed of the columns of a row.
///
/// One tree for all: a condition is an expression that is true, false or unknown. Arithmetic and casts, once they are
/// there, will be further functions.
package indirect enum Expression: Sendable, Hashable {
  /// A column's value.
  case column(String)
  /// A value as written.
  case literal(Literal)
  /// A function of other expressions.
  case call(Function, [Expression])

  /// What is made of values.
  package enum Function: Sendable, Hashable {
    /// Whether the first compares so with the second.
    case compare(Comparison)
    /// Whether the first is null.
    case isNull
    /// Whether the first is one of the others.
    case isIn
    /// The opposite.
    case not
    /// Whether all are true.
    case and
    /// Whether any is true.
    case or
  }

  /// The columns that are looked at.
  package var columns: Set<String> {
    switch self {
    case .column(let name): [name]
    case .literal: []
    case .call(_, let arguments): arguments.reduce(into: []) { $0.formUnion($1.columns) }
    }
  }
}

/// How a value is compared with another.
package enum Comparison: String, Sendable, Hashable {
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  /// Whether the comparison holds for an order: negative, zero or positive.
  @inline(__always)
  func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }

  /// The comparison that holds where this one does not.
  var opposite: Comparison {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    }
  }

  /// The comparison of the second value with the first.
  var mirrored: Comparison {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    case .equal, .notEqual: self
    }
  }
}
