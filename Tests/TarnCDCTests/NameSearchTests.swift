import TarnBytes
import TarnCDC
import TarnColumns
import TarnTestSupport
import Testing

@Suite("Random names in random batches")
struct NameSearchTests {
  private static let parts = [
    "a", "b", "A", "B", "a", "b", "-", ".", "_", " ", "1", "2", "\u{e9}", "e\u{301}", "日", "$", "\"", "\\",
    "%", "=",
    ":", "_event_id", "_EVENT_TIME", "_hoodie_x", "_HOODIE_Y", "id", "",
  ]

  /// A table as its batches leave it.
  private struct Table {
    var schema = Schema([])
    var owners = ColumnOwners()
    /// The values that each column has had, which tell the names.
    var values: [String: Set<String>] = [:]
    var rejected: [RejectedRecord] = []

    /// Takes a batch of records, each of which has some names; the value of a name is its number.
    mutating func take(_ batch: [[Int]], of names: [String]) async throws {
      var text: [UInt8] = []
      for record in batch { NameSearchTests.append(record, names, to: &text) }
      if schema.fields.isEmpty {
        var inference = SchemaInference(.changeRecords)
        rejected += try await readAll([("a", text)], into: &inference)
        schema = inference.schema
        owners = inference.owners
      }
      while true {
        var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["pk"], owners: owners)
        rejected += try await readAll([("a", text)], into: &builder)
        owners = noted(builder.found.owners)
        guard builder.found.newFields.isEmpty else {
          schema.fields += builder.found.newFields.map(\.field)
          continue
        }
        let rows = try builder.finish().rows
        for name in rows.schema.names {
          values[name, default: []].formUnion(rows.texts(name).filter { $0.hasPrefix("v") })
        }
        return
      }
    }

    /// What a table's properties would give back.
    private func noted(_ owners: ColumnOwners) -> ColumnOwners {
      var copy = ColumnOwners()
      for (name, column) in owners.pairs { copy.note(name, owns: column) }
      return copy
    }
  }

  private static func append(_ record: [Int], _ names: [String], to out: inout [UInt8]) {
    let key = #"{"pk":{"S":"k"}"#
    out.append(text: #"{"eventName":"INSERT","dynamodb":{"Keys":\#(key)},"NewImage":\#(key)"#)
    for index in record {
      out.append(0x2c)
      out.appendJSON(string: names[index])
      out.append(text: #":{"S":"v\#(index)"}"#)
    }
    out.append(text: "}}}\n")
  }

  /// Different names, some of which differ in case only, or look like the columns of others.
  private static func names(_ random: inout SeededGenerator) async throws -> [String] {
    var names: [ExactText] = []
    while names.count < 12 {
      var name = ""
      for _ in 0...random.below(3) { name += parts[random.below(parts.count)] }
      if let other = names.last?.text, random.oneIn(5) {
        name = random.oneIn(2) ? other.uppercased() : other.lowercased()
      } else if let other = names.last?.text, random.oneIn(6) {
        var table = Table()
        try await table.take([[0]], of: [other])
        name = table.owners.column(of: other) ?? name
      }
      guard name != "pk", name.utf8.count < 60, !names.contains(ExactText(name)) else { continue }
      names.append(ExactText(name))
    }
    return names.map(\.text)
  }

  /// Whether the order of arrival may decide about a name: it could be a column but for another name's.
  private static func isContended(_ index: Int, _ names: [String], _ columns: [[Int: String]]) -> Bool {
    let own = Set([names[index]] + columns.compactMap { $0[index] }).map { $0.lowercased() }
    return names.indices.contains { other in
      guard other != index else { return false }
      let others = Set([names[other]] + columns.compactMap { $0[other] }).map { $0.lowercased() }
      return !Set(own).isDisjoint(with: others)
    }
  }

  @Test(
    "No two names ever share a column, no name has two, and the order of arrival changes no column",
    arguments: 0..<60)
  func search(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let names = try await Self.names(&random)
    var batches: [[[Int]]] = []
    for _ in 0..<5 {
      batches.append(
        (0...random.below(3)).map { _ in
          names.indices.filter { _ in random.oneIn(3) }.shuffled(using: &random)
        })
    }
    batches.append([Array(names.indices)])
    var columns: [[Int: String]] = []
    for order in [batches, batches.shuffled(using: &random), [batches.flatMap { $0 }]] {
      var table = Table()
      for batch in order { try await table.take(batch, of: names) }
      #expect(table.rejected.isEmpty, "\(table.rejected)")
      var column: [Int: String] = [:]
      for (name, values) in table.values where !values.isEmpty {
        #expect(values.count == 1, "\(name) has values of \(values.map { names[Int($0.dropFirst()) ?? 0] })")
        for value in values {
          let index = try #require(Int(value.dropFirst()))
          #expect(column[index] == nil, "\(names[index]) goes to \(name) and \(column[index] ?? "")")
          column[index] = name
        }
      }
      #expect(column.count == names.count)
      #expect(Set(table.schema.names.map { $0.lowercased() }).count == table.schema.names.count)
      columns.append(column)
    }
    let settled = names.indices.filter { !Self.isContended($0, names, columns) }
    #expect(!settled.isEmpty)
    for index in settled {
      #expect(
        Set(columns.map { $0[index] }).count == 1, "\(names[index]): \(columns.map { $0[index] ?? "" })")
    }
  }
}
