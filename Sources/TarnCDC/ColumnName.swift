import TarnBytes
import TarnColumns

/// Finds columns for names that no column can have.
///
/// Avro, and so Hudi, takes letters, digits and `_`, not first a digit; DynamoDB takes any text. The rule:
/// - every other character becomes `_`, and a digit at the begin gets one before it: `a-b` goes to `a_b`;
/// - a name with characters beyond ASCII, of which nothing would tell it from others, gets eight digits of its hash
///   behind that: `größe` goes to `gr__e_` and these digits;
/// - where `a_b` belongs to another name, by that name's standing in the same records, `a-b` gets the digits, too.
///   The table then has that column, which is what later batches look for first;
/// - the same holds where names differ in case only, since Hudi's engines fold names: beside `id`, `ID` gets the digits.
///   Names of keys come first, then the order of their bytes;
/// - attributes called as the event columns or with `_hoodie_` at the begin get one more `_` before that.
enum ColumnName {
  /// What names are those of.
  enum Origin: Sendable {
    /// Attributes of change records, beside which the event columns stand.
    case attributes
    /// Members of plain JSON.
    case members
  }

  /// Whether a name is that of its column.
  static func isKept(_ name: String, _ origin: Origin) -> Bool {
    isPlain(name) && !(origin == .attributes && isTaken(name))
  }

  /// The columns that a name which is not kept may have: the distinct one, and before it the simple one, if any.
  static func candidates(_ name: String, _ origin: Origin) -> (simple: String?, distinct: String) {
    var simple = origin == .attributes && isTaken(name) ? "_" : ""
    for scalar in name.unicodeScalars {
      if simple.isEmpty, scalar.isDigit { simple += "_" }
      simple += scalar.isLetter || scalar.isDigit || scalar == "_" ? String(scalar) : "_"
    }
    if simple.isEmpty { simple = "_" }
    let digits = String(XXH64.hash(Array(name.utf8).span.bytes) & 0xffff_ffff, radix: 16)
    let distinct = simple + "_" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    return (name.unicodeScalars.allSatisfy(\.isASCII) ? simple : nil, distinct)
  }

  /// The columns of new names, in their order.
  ///
  /// - Parameters:
  ///   - preferred: Names that come first where several would have one column, such as those of keys.
  ///   - taken: Columns that are there.
  static func columns(
    _ names: [String], _ origin: Origin, preferred: Set<String> = [], taken: Set<String> = []
  ) -> [String] {
    var taken = Set(taken.lazy.map { $0.lowercased() })
    var found: [String: String] = [:]
    // In the order of their bytes, so that the order of the records does not matter.
    let ranked = names.map { (name: $0, rank: isKept($0, origin) ? preferred.contains($0) ? 0 : 1 : 2) }
      .sorted {
        $0.rank != $1.rank ? $0.rank < $1.rank : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
      }
    for (name, _) in ranked {
      let (simple, distinct) = candidates(name, origin)
      let column = simple.flatMap { taken.contains($0.lowercased()) ? nil : $0 } ?? distinct
      taken.insert(column.lowercased())
      found[name] = column
    }
    return names.map { found[$0] ?? $0 }
  }

  /// What the user should know of a name; nil where it is its column's.
  static func warning(_ name: String, _ column: String) -> String? {
    guard name != column else { return nil }
    // Only a name that would do by itself is there in full, with digits behind it.
    let why =
      isPlain(name) && column.hasPrefix(name + "_")
      ? "since another column's name differs in case only" : "since no column can have that name"
    return "\(name.debugDescription) goes to the column \(column), \(why)"
  }

  private static func isPlain(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, !first.isDigit else { return false }
    return name.unicodeScalars.allSatisfy { $0.isLetter || $0.isDigit || $0 == "_" }
  }

  private static func isTaken(_ name: String) -> Bool {
    guard name.hasPrefix("_") else { return false }
    let folded = name.lowercased()
    return folded.hasPrefix("_hoodie_") || EventColumn.fields.contains { $0.name == folded }
  }
}

extension Unicode.Scalar {
  fileprivate var isLetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}
