/// A JSON object in one line, for the log.
public struct LogLine: Sendable {
  private var members = ""

  /// Nothing yet.
  public init() {}

  /// The line, without its end.
  public var text: String { "{\(members)}" }

  /// Adds a text.
  public mutating func add(_ name: String, _ value: String) { add(name, raw: Self.quoted(value)) }

  /// Adds a number.
  public mutating func add(_ name: String, _ value: Int) { add(name, raw: "\(value)") }

  /// Adds a list of texts.
  public mutating func add(_ name: String, _ values: [String]) {
    add(name, raw: "[\(values.map(Self.quoted).joined(separator: ","))]")
  }

  /// Adds the members of another line.
  public mutating func add(_ other: LogLine) {
    guard !other.members.isEmpty else { return }
    members += members.isEmpty ? other.members : ",\(other.members)"
  }

  private mutating func add(_ name: String, raw value: String) {
    if !members.isEmpty { members += "," }
    members += "\(Self.quoted(name)):\(value)"
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        out += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
