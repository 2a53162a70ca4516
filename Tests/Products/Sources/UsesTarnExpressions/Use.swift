import TarnExpressions

func use() throws(ExpressionError) -> Condition {
  try Condition(parsing: "price > 100 and exchange = 'OKX'")
}
