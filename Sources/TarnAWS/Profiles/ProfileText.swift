/// One of the files of profiles, taken apart.
///
/// ```
/// [profile work]
/// region = eu-central-1
/// s3 =
///   addressing_style = path
/// ```
struct ProfileText: Sendable, Hashable {
  /// The settings of each section, by its title such as `profile work`.
  ///
  /// A setting within another is named `s3.addressing_style`.
  private(set) var sections: [String: ProfileSettings] = [:]

  /// Parses a file; lines that are none of its own are passed over.
  init(_ bytes: [UInt8]) {
    var section: String?
    var parent: String?
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let text = Self.trimmed(line)
      if text.isEmpty || text.hasPrefix("#") || text.hasPrefix(";") { continue }
      if text.hasPrefix("[") {
        section = Self.title(text)
        parent = nil
        if let section { sections[section] = sections[section] ?? ProfileSettings() }
        continue
      }
      guard let section, let mark = text.firstIndex(of: "=") else { continue }
      let name = Self.trimmed(text[..<mark]).lowercased()
      let value = Self.withoutComment(Self.trimmed(text[text.index(after: mark)...]))
      let isWithin = line.first?.isWhitespace ?? false
      if isWithin, let parent {
        sections[section]?[parent + "." + name] = value
      } else {
        sections[section]?[name] = value
        parent = value.isEmpty ? name : nil
      }
    }
  }

  /// The words of `[profile "a b"]`, with one blank between.
  private static func title(_ text: Substring) -> String? {
    guard let end = text.lastIndex(of: "]") else { return nil }
    let inside = trimmed(text[text.index(after: text.startIndex)..<end])
    guard let blank = inside.firstIndex(where: \.isWhitespace) else { return String(inside) }
    let name = trimmed(inside[blank...])
    let isQuoted = name.count >= 2 && name.first == name.last && (name.first == "\"" || name.first == "'")
    return inside[..<blank] + " " + (isQuoted ? name.dropFirst().dropLast() : name)
  }

  private static func withoutComment(_ value: Substring) -> String {
    for mark in [" #", " ;", "\t#", "\t;"] {
      if let range = value.firstRange(of: mark) { return String(trimmed(value[..<range.lowerBound])) }
    }
    return String(value)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return text
  }
}
