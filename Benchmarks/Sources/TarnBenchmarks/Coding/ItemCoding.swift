import DynamoDBJSON
import Foundation

/// An order as a Swift program has it.
struct CodedOrder: Codable {
  struct Address: Codable {
    var street: String
    var city: String
    var zip: String
  }

  struct Line: Codable {
    var sku: String
    var quantity: Int
    var price: Double
  }

  var id: String
  var customer: String
  var created: Int64
  var status: String
  var total: Double
  var isPaid: Bool
  var note: String?
  var address: Address
  var lines: [Line]
  var tags: Set<String>

  static let sample = CodedOrder(
    id: "01HQ3K5W8Z9X7C4V2B1N0M6L5K", customer: "customer-48213", created: 1_705_312_800_123,
    status: "shipped",
    total: 149.97, isPaid: true, note: "leave it at the door",
    address: Address(street: "Karl Johans gate 1", city: "Oslo", zip: "0154"),
    lines: [
      Line(sku: "SKU-10023", quantity: 2, price: 24.99), Line(sku: "SKU-20417", quantity: 1, price: 99.99),
    ], tags: ["new", "gift", "express"])
}

/// The same order as Foundation reads it from DynamoDB JSON: structures that mirror the type tags.
struct MirroredOrder: Codable {
  struct Text: Codable {
    var value: String
    enum CodingKeys: String, CodingKey { case value = "S" }
  }

  struct Number: Codable {
    var value: String
    enum CodingKeys: String, CodingKey { case value = "N" }
  }

  struct Truth: Codable {
    var value: Bool
    enum CodingKeys: String, CodingKey { case value = "BOOL" }
  }

  struct Texts: Codable {
    var value: Set<String>
    enum CodingKeys: String, CodingKey { case value = "SS" }
  }

  struct Map<Value: Codable>: Codable {
    var value: Value
    enum CodingKeys: String, CodingKey { case value = "M" }
  }

  struct List<Value: Codable>: Codable {
    var values: [Value]
    enum CodingKeys: String, CodingKey { case values = "L" }
  }

  struct Address: Codable {
    var street: Text
    var city: Text
    var zip: Text
  }

  struct Line: Codable {
    var sku: Text
    var quantity: Number
    var price: Number
  }

  var id: Text
  var customer: Text
  var created: Number
  var status: Text
  var total: Number
  var isPaid: Truth
  var note: Text?
  var address: Map<Address>
  var lines: List<Map<Line>>
  var tags: Texts
}

/// Decodes and encodes an item with Tarn and, as structures that mirror it, with Foundation, in turn, and compares.
enum CodingComparison {
  static let name = "coding"
  /// How many times as fast as Foundation decoding is to be.
  private static let bound = 3.0
  private static let repeats = 20_000

  static func run(runs: Int) throws {
    let item = try DynamoDBEncoder().encode(CodedOrder.sample)
    let data = Data(item)
    print("\(name): an item of \(item.count) bytes, \(repeats) times, \(runs) runs")
    let decoder = JSONDecoder()
    let encoder = JSONEncoder()
    let mirrored = try decoder.decode(MirroredOrder.self, from: data)
    var best = (decoding: Double.infinity, foundation: Double.infinity)
    var encoding = (tarn: Double.infinity, foundation: Double.infinity)
    // In turn, so that a slow minute of the machine is one for all.
    for _ in 0..<runs {
      best.decoding = min(
        best.decoding,
        try seconds { try DynamoDBDecoder().decode(CodedOrder.self, from: item).lines.count })
      best.foundation = min(
        best.foundation, try seconds { try decoder.decode(MirroredOrder.self, from: data).lines.values.count }
      )
      encoding.tarn = min(
        encoding.tarn, try seconds { try DynamoDBEncoder().encode(CodedOrder.sample).count })
      encoding.foundation = min(encoding.foundation, try seconds { try encoder.encode(mirrored).count })
    }
    let ratio = best.foundation / best.decoding
    let verdict = ratio >= bound ? "" : ", MISSED"
    print(
      String(
        format: "decoding: Tarn %.2f us, JSONDecoder %.2f us: %.1f times as fast, of at least %.0f\(verdict)",
        best.decoding * 1e6, best.foundation * 1e6, ratio, bound))
    print(
      String(
        format: "encoding: Tarn %.2f us, JSONEncoder %.2f us: %.1f times as fast", encoding.tarn * 1e6,
        encoding.foundation * 1e6, encoding.foundation / encoding.tarn))
  }

  /// How long one call takes.
  private static func seconds(_ work: () throws -> Int) throws -> Double {
    var sum = 0
    let begin = ContinuousClock.now
    for _ in 0..<repeats { sum &+= try work() }
    let elapsed = (ContinuousClock.now - begin) / .seconds(1)
    guard sum > 0 else { throw UsageError("nothing was done") }
    return elapsed / Double(repeats)
  }
}
