import TarnIndex
import TarnTimeline

/// Hudi's simple bucket index, by which the hash of a record key names the one file group where its row lies.
///
/// See <doc:BucketIndex>.
public struct Buckets: Sendable, Hashable {
  /// How many buckets each partition has, 1 to 999,999: `hoodie.bucket.index.num.buckets`.
  public var count: Int
  /// The key columns that are hashed, `hoodie.bucket.index.hash.field`; none for all of them.
  public var fields: [String]

  /// Makes the choice.
  public init(count: Int, fields: [String] = []) {
    self.count = count
    self.fields = fields
  }

  private enum Key {
    static let type = "tarn.index.type"
    static let count = "tarn.index.buckets"
    static let fields = "tarn.index.bucket.fields"
  }

  /// The choice as properties of a table.
  var entries: [(String, String)] {
    var entries = [(Key.type, "bucket"), (Key.count, "\(count)")]
    if !fields.isEmpty { entries.append((Key.fields, fields.joined(separator: ","))) }
    return entries
  }

  /// The choice that a table's properties hold, or that they say there are none.
  ///
  /// - Throws: What `refusal` makes of the text that says which property makes no sense.
  static func read(
    _ properties: TableProperties, _ refusal: (String) -> TableError
  ) throws(TableError) -> (buckets: Buckets?, deniesBuckets: Bool) {
    switch properties.entries[Key.type] {
    case nil: return (nil, false)
    case "file": return (nil, true)
    case "bucket": break
    case let other?: throw refusal("\(Key.type)=\(other) is neither bucket nor file")
    }
    let count = properties.entries[Key.count] ?? ""
    guard let number = Int(count) else { throw refusal("\(Key.count)=\(count) is no number") }
    let fields = properties.entries[Key.fields] ?? ""
    let buckets = Buckets(count: number, fields: fields.split(separator: ",").map(String.init))
    if let objection = buckets.objection(properties.recordKeyFields) { throw refusal(objection) }
    return (buckets, false)
  }

  /// What makes no sense for a table with these key columns, in the words of its properties.
  func objection(_ keyFields: [String]) -> String? {
    let counts = BucketIndex.counts
    guard counts.contains(count) else {
      return "\(Key.count)=\(count) is no number from \(counts.lowerBound) to \(counts.upperBound)"
    }
    guard let stranger = fields.first(where: { !keyFields.contains($0) }) else { return nil }
    return "\(Key.fields) names \(stranger), and the key columns are \(keyFields.joined(separator: ", "))"
  }

  /// The same choice, with the names of the columns that are hashed, in the order of the key.
  func named(_ keyFields: [String]) -> Buckets {
    Buckets(count: count, fields: fields.isEmpty ? keyFields : keyFields.filter(fields.contains))
  }

  /// The choice as messages have it.
  var text: String {
    let names = fields.isEmpty ? "all key columns" : fields.joined(separator: ", ")
    return "\(count) \(count == 1 ? "bucket" : "buckets") by \(names)"
  }
}
