import Foundation
import TarnTestSupport

/// A text file of the package.
struct SourceFile {
  /// The path relative to the package's root.
  let path: String
  /// The lines as they stand.
  let lines: [String]

  /// The lines with comments and the texts of literals left out, so that only code is searched; empty for
  /// files of which only the text is wanted.
  let code: [String]

  init(path: String, withCode: Bool = false) throws {
    self.init(path: path, lines: try TestWorld.lines(of: TestWorld.root + "/" + path), withCode: withCode)
  }

  init(path: String, lines: [String], withCode: Bool) {
    self.path = path
    self.lines = lines
    var lexer = Lexer(withCode ? lines.joined(separator: "\n") : "")
    code = lexer.code().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The name of the folder below `Sources`, which is that of the room.
  var room: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

  /// The path of the folder in which it stands.
  var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }

  /// Where the code matches, as `path:line: text`.
  func matches(_ pattern: Regex<Substring>) -> [String] {
    code.indices.filter { code[$0].contains(pattern) }.map(place)
  }

  /// A line's place and text.
  func place(_ index: Int) -> String {
    "\(path):\(index + 1): \(lines[index].trimmingCharacters(in: .whitespaces))"
  }

  /// Every file below folders of the package, but for what is built.
  static func all(below folders: [String], suffixes: [String], withCode: Bool = false) throws -> [SourceFile]
  {
    var found: [String] = []
    for folder in folders {
      let names = FileManager.default.enumerator(atPath: TestWorld.root + "/" + folder)
      for case let name as String in names ?? FileManager.DirectoryEnumerator() {
        let parts = name.split(separator: "/")
        if parts.contains(where: { $0.hasPrefix(".build") || $0 == "__pycache__" }) { continue }
        if suffixes.contains(where: name.hasSuffix) { found.append(folder + "/" + name) }
      }
    }
    return try found.sorted().map { try SourceFile(path: $0, withCode: withCode) }
  }
}

/// Blanks comments and literals of Swift, but for the code within interpolations.
private struct Lexer {
  private let text: [UInt8]
  private var next = 0
  private var kept: [UInt8] = []

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func code() -> String {
    takeCode(untilClosed: false)
    return String(decoding: kept, as: UTF8.self)
  }

  private func isAt(_ word: String, _ offset: Int = 0) -> Bool {
    text[min(next + offset, text.count)...].starts(with: word.utf8)
  }

  private mutating func keep(_ word: String) { kept += Array(word.utf8) }

  /// Leaves a byte out, but not the end of a line.
  private mutating func skip() {
    if isAt("\n") { keep("\n") }
    next += 1
  }

  /// Takes code up to the end, or up to the bracket that closes an interpolation.
  private mutating func takeCode(untilClosed: Bool) {
    var depth = 0
    while next < text.count {
      let hashes = text[next...].prefix { $0 == 0x23 }.count
      if isAt("//") {
        while next < text.count, !isAt("\n") { next += 1 }
      } else if isAt("/*") {
        skipComment()
      } else if isAt("\"", hashes) {
        takeLiteral(hashes)
      } else {
        if isAt("(") { depth += 1 }
        if isAt(")") { depth -= 1 }
        if untilClosed, depth < 0 { return }
        kept.append(text[next])
        next += 1
      }
    }
  }

  private mutating func skipComment() {
    var depth = 0
    repeat {
      if isAt("/*") || isAt("*/") {
        depth += isAt("/*") ? 1 : -1
        next += 2
      } else {
        skip()
      }
    } while depth > 0 && next < text.count
  }

  private mutating func takeLiteral(_ hashes: Int) {
    let quote = isAt("\"\"\"", hashes) ? "\"\"\"" : "\""
    let marks = String(repeating: "#", count: hashes)
    keep("\"")
    next += hashes + quote.utf8.count
    while next < text.count, !isAt(quote + marks) {
      if isAt("\\" + marks + "(") {
        next += hashes + 2
        keep("(")
        takeCode(untilClosed: true)
        keep(")")
        next += 1
      } else if isAt("\\" + marks) {
        next += hashes + 1
        skip()
      } else {
        skip()
      }
    }
    next += quote.utf8.count + hashes
    keep("\"")
  }
}
