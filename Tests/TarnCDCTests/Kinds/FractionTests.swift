import TarnCDC
import TarnColumns
import Testing

@Suite("Fractions in columns of whole numbers")
struct FractionTests {
  @Test("Whole numbers widen at once to the decimal that fractions of change records are given")
  func widening() async throws {
    let schema = Schema([Field("id", .string), Field("n", .int64), Field("i", .int32)])
    var builder = try ChangeBatchBuilder(
      schema: schema, keyFields: ["id"], widening: ["n": .int64, "i": .int32], keepsNewValues: true)
    let values = ["1", "2.5", "0.125"].enumerated().map {
      let other = $0.offset == 2 ? "3000000000" : "1"
      return change(
        id: "\($0.offset)", new: #""n":{"N":"\#($0.element)"},"i":{"N":"\#(other)"}"#)
    }
    #expect(try await readAll(values.joined(), into: &builder).isEmpty)
    let wider = builder.found.widerFields
    #expect(wider.map(\.name) == ["n", "i"])
    #expect(wider.first?.type == .decimal(precision: 38, scale: 18))
    #expect(wider.last?.type != .decimal(precision: 38, scale: 18))
    let rows = try #require(builder.completed([try builder.finish()])?.first?.rows)
    #expect(rows.texts("n") == ["1000000000000000000", "2500000000000000000", "125000000000000000"])
  }
}
