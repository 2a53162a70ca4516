/// Change records of the Kinesis-for-DynamoDB shape, one a line: 70 % INSERT, 25 % MODIFY, 5 % REMOVE.
struct ChangeRecords {
  var seed: UInt64
  var count: Int

  func write(to path: String) throws {
    var random = SplitMix64(seed: seed)
    var file = try OutputFile(path)
    var live: [Trade] = []
    var time = Trade.epoch
    for index in 0..<count {
      time += Int64(1 + random.below(100_000))
      let choice = random.below(100)
      if choice < 70 || live.isEmpty {
        let new = Trade(&random, time: time)
        live.append(new)
        Self.append("INSERT", time, new, nil, index, &random, &file.buffer)
      } else if choice < 95 {
        let position = random.below(live.count)
        let old = live[position]
        live[position].status = random.below(Trade.statuses.count)
        live[position].fee = random.below(9_999_999)
        Self.append("MODIFY", time, live[position], old, index, &random, &file.buffer)
      } else {
        let old = live.remove(at: live.count - 1 - random.below(min(live.count, 1_000)))
        Self.append("REMOVE", time, nil, old, index, &random, &file.buffer)
      }
      try file.flush(above: 1 << 20)
    }
    try file.finish()
  }

  private static func append(
    _ name: StaticString, _ time: Int64, _ new: Trade?, _ old: Trade?, _ index: Int,
    _ random: inout SplitMix64, _ out: inout [UInt8]
  ) {
    guard let item = new ?? old else { return }
    out.append(#"{"awsRegion":"eu-central-1","eventID":""#)
    out.append(RandomUUID(&random))
    out.append(#"","eventName":""#)
    out.append(name)
    out.append(#"","userIdentity":null,"recordFormat":"application/json","tableName":"crypto-transactions","#)
    out.append(#""dynamodb":{"ApproximateCreationDateTime":"#)
    out.append(number: Int(time))
    out.append(#","Keys":{"transaction_id":{"S":""#)
    out.append(item.id)
    out.append(#""}}"#)
    if let new { append(#","NewImage":{"#, new, &out) }
    if let old { append(#","OldImage":{"#, old, &out) }
    out.append(#","SizeBytes":"#)
    out.append(number: 400 + index % 100)
    out.append(
      #","ApproximateCreationDateTimePrecision":"MICROSECOND"},"eventSource":"aws:dynamodb"}"#)
    out.append(0x0a)
  }

  private static func append(_ begin: StaticString, _ trade: Trade, _ out: inout [UInt8]) {
    out.append(begin)
    out.append(#""transaction_id":{"S":""#)
    out.append(trade.id)
    out.append(#""},"user_id":{"S":"user-"#)
    out.append(number: Int(trade.order.high % 90_000), digits: 5)
    out.append(#""},"timestamp":{"N":""#)
    out.append(number: Int(trade.time / 1_000))
    text(#""},"exchange":{"S":""#, Trade.exchanges[trade.exchange], &out)
    text(#""},"trading_pair":{"S":""#, Trade.pairs[trade.pair], &out)
    text(#""},"order_type":{"S":""#, Trade.types[trade.type], &out)
    out.append(#""},"price":{"N":""#)
    out.append(units: trade.price, places: 2)
    out.append(#""},"quantity":{"N":""#)
    out.append(units: trade.quantity, places: 6)
    out.append(#""},"trade_fee":{"N":""#)
    out.append(units: trade.fee, places: 4)
    text(#""},"trade_status":{"S":""#, Trade.statuses[trade.status], &out)
    text(#""},"order_source":{"S":""#, Trade.sources[trade.source], &out)
    out.append(#""},"wallet_address":{"S":"0x"#)
    out.append(hexadecimal: trade.wallet.0, digits: 16)
    out.append(hexadecimal: trade.wallet.1, digits: 16)
    out.append(hexadecimal: trade.wallet.2, digits: 8)
    out.append(#""}}"#)
  }

  private static func text(_ before: StaticString, _ value: StaticString, _ out: inout [UInt8]) {
    out.append(before)
    out.append(value)
  }
}
