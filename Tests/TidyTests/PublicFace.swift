/// What a Swift file shows to those who import its module: the text of each public signature.
///
/// It is told from the text of the code. Types that the compiler infers stand in no text, but for the name that an
/// initial value begins with.
struct PublicFace {
  /// A declaration that others see.
  struct Declaration {
    /// The position of its first line.
    let line: Int
    /// Its text, without body.
    let text: String

    /// The names in it that begin as those of types do.
    var names: Set<String> { Set(text.matches(of: /\b[A-Z]\w*/).map { String($0.output) }) }
  }

  private(set) var declarations: [Declaration] = []
  /// Modules that are imported for others too, with the positions of the lines.
  private(set) var imports: [(module: String, line: Int)] = []

  /// What the braces around a line are of.
  private enum Scope { case publicEnum, publicProtocol, other }

  init(_ file: SourceFile) {
    var scopes: [Scope] = []
    var line = 0
    while line < file.code.count {
      let code = file.code[line].drop { $0 == " " }
      if code.contains("import "),
        let match = code.firstMatch(of: /^(?:public|@_exported)\s+import\s+(?:\w+\s+)?(\w+)/)
      {
        imports.append((String(match.1), line))
      } else if isSeen(code, scopes.last) {
        let (text, last) = signature(file.code, from: line)
        declarations.append(Declaration(line: line, text: text))
        for passed in line..<last { open(file.code[passed], &scopes) }
        line = last
      }
      open(file.code[line], &scopes)
      line += 1
    }
  }

  private func isSeen(_ code: Substring, _ scope: Scope?) -> Bool {
    switch scope {
    case .publicEnum where code.hasPrefix("case ") || code.hasPrefix("indirect case "): true
    case .publicProtocol: code.contains(/\b(?:func|var|init|subscript|associatedtype)\b/)
    default: code.contains("public ") && code.contains(/^(?:@\w+(?:\([^)]*\))?\s+|nonisolated\s+)*public\s/)
    }
  }

  /// The text of a declaration up to its body, and the last of its lines.
  private func signature(_ code: [String], from first: Int) -> (text: String, last: Int) {
    var text = ""
    var line = first
    while true {
      text += " " + code[line]
      let opened = text.filter { "([<".contains($0) }.count
      let closed = text.replacing("->", with: "").filter { ")]>".contains($0) }.count
      let next = line + 1 < code.count ? code[line + 1].drop { $0 == " " } : ""
      let goesOn =
        opened > closed || next.contains(/^(?:async|throws|rethrows|where|->|:|&|,)/)
        || text.contains(/(?:->|[,:=&])\s*$/)
      guard line + 1 < code.count, goesOn, !text.contains("{") else { break }
      line += 1
    }
    let body = text.firstIndex(of: "{") ?? text.endIndex
    let signature = text[..<body]
    guard let value = signature.firstMatch(of: /\b(?:let|var)\s[^=]*=(?<value>.*)/)?.value else {
      return (String(signature), line)
    }
    // An initial value tells a type by its first name only.
    let name = value.firstMatch(of: /^\s*[\[(]*\s*([A-Z]\w*)/).map { String($0.1) } ?? ""
    return (signature[..<value.startIndex] + " " + name, line)
  }

  private func open(_ code: String, _ scopes: inout [Scope]) {
    for sign in code where sign == "{" || sign == "}" {
      if sign == "{" { scopes.append(scope(of: code)) } else { _ = scopes.popLast() }
    }
  }

  private func scope(of code: String) -> Scope {
    guard code.contains("public ") else { return .other }
    if code.contains(/\bpublic\s+(?:indirect\s+)?enum\b/) { return .publicEnum }
    return code.contains(/\bpublic\s+protocol\b/) ? .publicProtocol : .other
  }
}
