import TarnColumns

/// Turns changes as they were decoded into changes of the lake's table, a column at a time.
struct TradeTransform {
  /// The batch's clock, in microseconds since 1970: every row's `ingestion_time`.
  let ingestionTime: Int64

  /// Computes the lake's columns.
  ///
  /// A change after which a trade has failed, or has no positive price or quantity, becomes a deletion: it
  /// keeps its ordering value, so that it also wins over an older change that comes later in the same batch.
  ///
  /// - Throws: ``TransformError`` where a number does not fit its column; `ColumnError`.
  func apply(to changes: ChangeBatch) throws -> ChangeBatch {
    let rows = changes.rows
    let price = try decimals("price", of: rows).rounded(to: TradeSchema.price)
    let quantity = try decimals("quantity", of: rows).rounded(to: TradeSchema.quantity)
    let fee = try decimals("trade_fee", of: rows).rounded(to: TradeSchema.tradeFee)
    let exchange = try strings("exchange", of: rows)
    let status = try strings("trade_status", of: rows)

    var isDelete = changes.isDelete
    for row in 0..<rows.count where !isDelete[row] {
      let isTrade = status.string(row) != "FAILED" && price.values[row] > 0 && quantity.values[row] > 0
      if !isTrade { isDelete[row] = true }
    }
    let value = zip(price.values, quantity.values).map { $0 * $1 }

    var added = rows
    added.replace("price", try price.column())
    added.replace("quantity", try quantity.column())
    added.replace("trade_fee", try fee.column())
    added.replace(
      "ingestion_time", try instants([Int64](repeating: ingestionTime, count: rows.count), nil))
    added.replace("risk_flag", try Self.labels(value.map(TradeRules.risk)))
    added.replace("normalized_price", try normalized(price, exchange).column())
    added.replace("adjusted_trade_fee", try adjusted(fee, value).column())
    added.replace("user_category", try Self.labels(quantity.values.map(TradeRules.category)))
    added.replace("hour_bucket", try hours(of: rows))
    return try ChangeBatch(rows: try added.select(TradeSchema.lake.names), isDelete: isDelete)
  }

  private func normalized(_ price: Decimals.Numbers, _ exchange: ByteStrings) throws -> Decimals.Numbers {
    // Two places of the price and two of the factor: exactly the four of the column.
    let values = price.values.enumerated().map { row, value in
      value * TradeRules.priceFactor(exchange.string(row))
    }
    return try Decimals.Numbers(values, scale: 4, validity: price.validity).rounded(
      to: TradeSchema.normalizedPrice)
  }

  private func adjusted(_ fee: Decimals.Numbers, _ value: [Int128]) throws -> Decimals.Numbers {
    let values = zip(fee.values, value).map { $0 * TradeRules.feeFactor($1) }
    return try Decimals.Numbers(values, scale: 6, validity: fee.validity).rounded(to: TradeSchema.tradeFee)
  }

  private func hours(of rows: RecordBatch) throws -> Column {
    guard let times = rows["timestamp"], case .int64(let values) = times.values else {
      throw TransformError("the changes have no timestamps")
    }
    let hour: Int64 = 3_600_000_000
    // Rounded down, for times before 1970 too.
    return try instants(values.map { $0 - ($0 % hour + hour) % hour }, times.validity)
  }

  private func instants(_ values: [Int64], _ validity: Bitmap?) throws -> Column {
    try Column(type: TradeSchema.instant, values: .int64(values), validity: validity)
  }

  private func decimals(_ name: String, of rows: RecordBatch) throws -> Decimals.Numbers {
    guard let column = rows[name], let numbers = Decimals.Numbers(name, column) else {
      throw TransformError("the changes have no decimals \(name)")
    }
    return numbers
  }

  private func strings(_ name: String, of rows: RecordBatch) throws -> ByteStrings {
    guard let strings = rows[name]?.strings else { throw TransformError("the changes have no texts \(name)") }
    return strings
  }

  private static func labels(_ texts: [StaticString]) throws -> Column {
    var strings = ByteStrings()
    for text in texts {
      try strings.appendBuilt { bytes in
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
      }
    }
    return try Column(type: .string, values: .bytes(strings))
  }
}

/// The rules by which trades are judged.
enum TradeRules {
  /// Trade values have eight places: two of the price and six of the quantity.
  private static func value(_ dollars: Int128) -> Int128 { dollars * 100_000_000 }

  /// The risk of a trade value.
  static func risk(_ traded: Int128) -> StaticString {
    if traded > value(500_000) { return "HIGH_RISK" }
    return traded > value(100_000) ? "MEDIUM_RISK" : "LOW_RISK"
  }

  /// What remains of the fee, in hundredths.
  static func feeFactor(_ traded: Int128) -> Int128 {
    if traded >= value(100_000) { return 90 }
    return traded >= value(50_000) ? 95 : 100
  }

  /// The kind of user who trades a quantity of six places.
  static func category(_ quantity: Int128) -> StaticString {
    if quantity > 2_000_000 { return "VIP Trader" }
    return quantity > 1_000_000 ? "Active Trader" : "Casual Trader"
  }

  /// What an exchange's prices are multiplied by, in hundredths.
  static func priceFactor(_ exchange: String) -> Int128 {
    switch exchange {
    case "Coinbase": 102
    case "Kraken": 98
    case "OKX": 101
    case "FTX": 99
    case "Bitfinex": 103
    default: 100
    }
  }
}

/// Why changes could not be transformed.
struct TransformError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

extension RecordBatch {
  /// Puts a column in the place of the one of its name, or behind the last one.
  fileprivate mutating func replace(_ name: String, _ column: Column) {
    if let index = schema.index(of: name) {
      schema.fields[index].type = column.type
      columns[index] = column
    } else {
      schema.fields.append(Field(name, column.type))
      columns.append(column)
    }
  }
}
