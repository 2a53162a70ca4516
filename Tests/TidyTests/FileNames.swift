/// The names that a Swift file declares, and those that it uses.
///
/// It is told from the text, so that it is an estimate: a name is taken for what the target declares by it.
struct FileNames {
  let path: String
  /// The folder of `Sources` or `Tests`.
  let target: String
  /// The folder within the target, empty for the target's own.
  let folder: String

  /// Types that are declared here, nested ones too, and functions and values of no type.
  private(set) var types: Set<String> = []
  /// Types that are declared or extended here, whose members need no dot.
  private(set) var own: Set<String> = []
  /// Members that extensions of types declare here, with the type; an initializer is `Type(label`.
  private(set) var extended: [(type: String, name: String)] = []
  /// Every member that is declared here.
  private(set) var members: Set<String> = []
  /// What others can see of it.
  private(set) var open: Set<String> = []
  /// Modules that are imported, each with the position of its line, and whether for others too.
  private(set) var imports: [(module: String, line: Int, isExported: Bool)] = []

  /// Names as they stand, those behind a dot, and first labels of calls as `Name(label`.
  private(set) var bare: Set<String> = []
  private(set) var dotted: Set<String> = []
  private(set) var calls: Set<String> = []
  /// Names of values, parameters and labels, which hide members that need no dot.
  private(set) var hiding: Set<String> = []

  /// Names of generic parameters, which hide types.
  private(set) var parameters: Set<String> = []

  init(_ file: SourceFile) {
    path = file.path
    let parts = file.path.split(separator: "/").map(String.init)
    target = parts.count > 2 ? parts[1] : ""
    folder = parts.dropFirst(2).dropLast().joined(separator: "/")
    for (line, code) in file.code.enumerated() where code.contains("import ") {
      if let match = code.firstMatch(of: /^\s*(?:[@\w()]+\s+)*import\s+(?:\w+\s+)?(\w+)/) {
        imports.append((String(match.1), line, code.contains("@_exported")))
      }
    }
    read(Token.all(file.code))
  }

  /// Whether a name is used, of a type or of a value that belongs to no type.
  func uses(type name: String) -> Bool {
    (bare.contains(name) || dotted.contains(name)) && !parameters.contains(name)
  }

  /// Whether a member is used: behind a dot, or without one in an extension of its type.
  func uses(member name: String, of type: String) -> Bool {
    if name.contains("(") { return calls.contains(name) }
    return dotted.contains(name) || own.contains(type) && bare.contains(name) && !hiding.contains(name)
  }

  /// What is used of names of which some are types' and some are members'.
  func used(of names: Set<String>) -> Set<String> {
    names.filter { calls.contains($0) || dotted.contains($0) || bare.contains($0) && !hiding.contains($0) }
  }

  /// What braces stand around a declaration.
  private enum Scope {
    case type(String, isOpen: Bool, kind: String)
    case `extension`(String, isOpen: Bool)
    case code
  }

  private mutating func read(_ tokens: [Token]) {
    var scopes: [Scope] = []
    var pending: Scope?
    var isOpen = false
    var index = 0

    /// The text so many tokens further on, empty behind the last.
    func text(_ offset: Int) -> String { index + offset < tokens.count ? tokens[index + offset].text : "" }

    while index < tokens.count {
      let token = tokens[index]
      defer { index += 1 }
      if token.followsDot {
        dotted.insert(token.text)
        noteCall(token, text)
        continue
      }
      let next = text(1)
      switch token.text {
      case "{":
        scopes.append(pending ?? .code)
        (pending, isOpen) = (nil, false)
      case "}":
        _ = scopes.popLast()
        isOpen = false
      case "class" where next == "func" || next == "var": break
      case "struct", "enum", "class", "actor", "protocol", "typealias":
        guard Self.isName(next) else { break }
        types.insert(next)
        own.insert(next)
        if isOpen { open.insert(next) }
        if token.text != "typealias" { pending = .type(next, isOpen: isOpen, kind: token.text) }
        isOpen = false
        index += 1
      case "extension":
        index += 1
        while text(1) == "." { index += 2 }
        bare.insert(text(0))
        own.insert(text(0))
        pending = .extension(text(0), isOpen: isOpen)
        isOpen = false
      case "func", "var", "let", "case", "for":
        if token.text == "func", text(2) == "(", text(3) != "_", Self.isName(text(3)) {
          note(token.text, "\(next)(\(text(3))", isOpen, scopes.last)
        }
        note(token.text, next, isOpen, scopes.last)
        if token.text != "case", Self.isName(next) { index += 1 }
        isOpen = false
      case "init":
        noteInitializer(scopes.last, text)
        isOpen = false
      case "public", "package": isOpen = true
      case "import": isOpen = false
      case "<" where index > 1 && Self.declaring.contains(tokens[index - 2].text):
        var length = 1
        while Self.isName(text(length)) {
          parameters.insert(text(length))
          // A constraint may have parameters of its own, but no comma between two names.
          while ![">", ",", ""].contains(text(length)) { length += 1 }
          if text(length) != "," { break }
          length += 1
        }
      default:
        bare.insert(token.text)
        if next == ":", !Self.isOfType(token.text) { hiding.insert(token.text) }
        noteCall(token, text)
      }
    }
  }

  /// What stands before a name that may have generic parameters.
  private static let declaring: Set = ["struct", "enum", "class", "actor", "func", "typealias"]

  private static func isName(_ text: String) -> Bool { text.utf8.first.map(Token.isOfName) ?? false }

  /// Whether a name is spelled as types are, so that it is no label.
  private static func isOfType(_ name: String) -> Bool { name.utf8.first.map { $0 < 0x5B } ?? false }

  private mutating func note(_ keyword: String, _ name: String, _ isOpen: Bool, _ scope: Scope?) {
    guard Self.isName(name) else { return }
    switch scope {
    case nil:
      types.insert(name)
      if isOpen { open.insert(name) }
    case .type(let type, let isTypeOpen, let kind):
      members.insert(name)
      // What the initializer without text takes.
      if keyword != "case" { members.insert("\(type)(\(name)") }
      if isOpen || isTypeOpen && (keyword == "case" || kind == "protocol") { open.insert(name) }
    case .extension(let type, let isExtensionOpen):
      members.insert(name)
      extended.append((type, name))
      if isOpen || isExtensionOpen { open.insert(name) }
    case .code: hiding.insert(name)
    }
  }

  private mutating func noteInitializer(_ scope: Scope?, _ text: (Int) -> String) {
    let label = text(text(1) == "?" ? 3 : 2)
    switch scope {
    case .type(let type, _, _)?: members.insert("\(type)(\(label)")
    case .extension(let type, _)? where Self.isName(label) && label != "_":
      extended.append((type, "\(type)(\(label)"))
    default: break
    }
  }

  private mutating func noteCall(_ token: Token, _ text: (Int) -> String) {
    guard text(1) == "(", text(3) == ":" else { return }
    calls.insert("\(token.text)(\(text(2))")
  }
}

/// A name or a sign of the code.
struct Token {
  var text: String
  /// Whether one dot stands before it, as before a member.
  var followsDot = false

  /// Takes code apart.
  static func all(_ code: [String]) -> [Token] {
    var found: [Token] = []
    let bytes = Array(code.joined(separator: "\n").utf8)
    bytes.withUnsafeBufferPointer { bytes in
      var index = 0
      var dots = 0
      while index < bytes.count {
        let start = index
        index += 1
        if isOfName(bytes[start]) {
          while index < bytes.count, isOfName(bytes[index]) { index += 1 }
          found.append(
            Token(text: String(decoding: bytes[start..<index], as: UTF8.self), followsDot: dots == 1))
          dots = 0
        } else if bytes[start] > 0x20, bytes[start] != 0x60 {
          dots = bytes[start] == 0x2E ? dots + 1 : 0
          found.append(Token(text: String(UnicodeScalar(bytes[start]))))
        }
      }
    }
    return found
  }

  static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F, 0x80...: true
    default: false
    }
  }
}
