import TarnBytes
import TarnColumns

/// Finds columns for names that no column can have.
///
/// Avro, and so Hudi, takes letters, digits and `_`, not first a digit; DynamoDB takes any text. The rule:
/// - in such a name every other character becomes `_`, a digit at the begin gets one before it, and behind all that
///   come `_` and eight digits of the name's hash, so that no other name can have that column: `a-b` goes to
///   `a_b_<hash8>`, whether or not `a_b` comes before it, with it or after it;
/// - so it is with attributes called as the event columns or with `_hoodie_` at the begin, in whatever case, which get
///   one more `_` before that;
/// - of names that differ in case only, which Hudi's engines do not tell apart, the first keeps its name, and of those
///   that come at once that of a key, else the first in the order of bytes; others get the digits;
/// - where even that column is taken, there are sixteen digits, and then a number behind them.
///
/// ``ColumnOwners`` keeps what was found.
enum ColumnName {
  /// What names are those of.
  enum Origin: Sendable {
    /// Attributes of change records, beside which the event columns stand.
    case attributes
    /// Members of plain JSON, which may be called as the columns of a table are.
    case members
  }

  /// Whether a name can be that of its column.
  static func isKept(_ name: String, _ origin: Origin) -> Bool { isPlain(name) && !isTaken(name, origin) }

  /// A name in the letters that a column's may have, which is not its column but stood for it in earlier versions;
  /// nil for one of which this tells nothing.
  static func simple(_ name: String, _ origin: Origin) -> String? {
    name.unicodeScalars.allSatisfy(\.isASCII) ? folded(name, origin) : nil
  }

  /// The column of a name that is not kept, as long as no other is asked for.
  static func distinct(_ name: String, _ origin: Origin, attempt: Int = 0) -> String {
    let hash = XXH64.hash(Array(name.utf8).span.bytes)
    let width = attempt == 0 ? 8 : 16
    let digits = String(attempt == 0 ? hash & 0xffff_ffff : hash, radix: 16)
    let padded = String(repeating: "0", count: width - digits.utf8.count) + digits
    return folded(name, origin) + "_" + padded + (attempt > 1 ? "_\(attempt)" : "")
  }

  /// Whether a column's name ends as those do of names that are not kept.
  static func hasDigits(_ column: String) -> Bool {
    let digits = column.utf8.reversed().prefix { $0 != 0x5f }
    guard digits.count == 8 || digits.count == 16, column.utf8.count > digits.count else { return false }
    return digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The columns of names that have none yet, in their order.
  ///
  /// - Parameters:
  ///   - preferred: Names that come first where several differ in case only, such as those of keys.
  ///   - schema: The columns that are there.
  ///   - owners: Which names own which columns; those found now are noted.
  static func columns(
    _ names: [String], _ origin: Origin, preferred: Set<ExactText> = [], besides schema: Schema,
    _ owners: inout ColumnOwners
  ) -> [String] {
    var taken = Set(schema.names.lazy.map { $0.lowercased() })
    for pair in owners.pairs { taken.insert(pair.column.lowercased()) }
    var found: [ExactText: String] = [:]
    // In the order of their bytes, so that the order of the records does not matter.
    let ranked = names.map {
      (name: $0, rank: isKept($0, origin) ? preferred.contains(ExactText($0)) ? 0 : 1 : 2)
    }
    .sorted {
      $0.rank != $1.rank ? $0.rank < $1.rank : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    for (name, rank) in ranked {
      if let known = noted(name, origin, owners) {
        found[ExactText(name)] = known
        continue
      }
      var column = rank < 2 ? name : distinct(name, origin)
      var attempt = 0
      while taken.contains(column.lowercased()) {
        column = distinct(name, origin, attempt: attempt)
        attempt += 1
      }
      taken.insert(column.lowercased())
      found[ExactText(name)] = column
      if column != name || origin == .attributes && hasDigits(column) { owners.note(name, owns: column) }
    }
    return names.map { found[ExactText($0)] ?? $0 }
  }

  /// The column that is noted for a name.
  ///
  /// Members called as the event columns are theirs, whatever attributes of that name have.
  static func noted(_ name: String, _ origin: Origin, _ owners: ColumnOwners) -> String? {
    if origin == .members, isKept(name, .members), !isKept(name, .attributes) { return nil }
    return owners.column(of: name)
  }

  /// What the user should know of a name; nil where it is its column's.
  static func warning(_ name: String, _ column: String) -> String? {
    guard name != column else { return nil }
    // A column that is the whole name and digits is that of a name that could have been a column's.
    let why =
      isPlain(name) && column.hasPrefix(name + "_")
      ? "since another column's name differs in case only" : "since no column can have that name"
    return "\(name.debugDescription) goes to the column \(column), \(why)"
  }

  private static func folded(_ name: String, _ origin: Origin) -> String {
    var text = isTaken(name, origin) ? "_" : ""
    for scalar in name.unicodeScalars {
      if text.isEmpty, scalar.isDigit { text += "_" }
      text += scalar.isLetter || scalar.isDigit || scalar == "_" ? String(scalar) : "_"
    }
    return text.isEmpty ? "_" : text
  }

  private static func isPlain(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, !first.isDigit else { return false }
    return name.unicodeScalars.allSatisfy { $0.isLetter || $0.isDigit || $0 == "_" }
  }

  /// Whether a name is one of the columns that Hudi or the records' events have for themselves.
  ///
  /// Rows as they are read from a table have these columns under their own names.
  private static func isTaken(_ name: String, _ origin: Origin) -> Bool {
    guard name.hasPrefix("_") else { return false }
    let folded = name.lowercased()
    if origin == .members { return folded.hasPrefix("_hoodie_") && !name.hasPrefix("_hoodie_") }
    return folded.hasPrefix("_hoodie_") || EventColumn.fields.contains { $0.name == folded }
  }
}

extension Unicode.Scalar {
  fileprivate var isLetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}
