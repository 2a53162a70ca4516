/// Trades as JSON lines.
let someTrades = """
  {"id":1,"exchange":"OKX","price":1.5,"note":"plain"}
  {"id":2,"exchange":"Kraken","price":2.25,"note":"a, \\"b\\""}
  {"id":3,"exchange":"OKX","price":null,"note":null}

  """

/// A change record as Kinesis carries it.
func change(
  _ name: String, _ id: String, exchange: String? = nil, price: String? = nil, old: String? = nil,
  at time: Int
) -> String {
  func image(_ exchange: String, _ price: String) -> String {
    #"{"id":{"S":"\#(id)"},"exchange":{"S":"\#(exchange)"},"price":{"N":"\#(price)"}}"#
  }
  var members = #""ApproximateCreationDateTime":\#(time),"Keys":{"id":{"S":"\#(id)"}}"#
  if let exchange { members += #","NewImage":\#(image(exchange, price ?? "1"))"# }
  if let old { members += #","OldImage":\#(image(old, "0"))"# }
  return #"{"eventID":"e\#(id)-\#(time)","eventName":"\#(name)","dynamodb":{\#(members)}}"#
}
