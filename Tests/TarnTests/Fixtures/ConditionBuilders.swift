import TarnExpressions

/// Conditions put together as functions, for tests that choose one at random.
extension Condition {
  static func and(_ left: Condition, _ right: Condition) -> Condition { left && right }
  static func or(_ left: Condition, _ right: Condition) -> Condition { left || right }
  static func not(_ inner: Condition) -> Condition { !inner }
}
