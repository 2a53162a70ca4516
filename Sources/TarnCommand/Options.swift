/// Why a command line makes no sense.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// How an option is written and explained: all that parsing, help and messages need to know of it.
struct OptionUsage: Sendable {
  /// The name, without dashes.
  let name: String
  /// What stands for the value in help texts; nil for an option without value.
  let placeholder: String?
  /// What it does, in a sentence without full stop.
  let help: String
  /// Whether several values may follow, and the option may be repeated.
  var takesMany = false
  /// Whether the command cannot do without.
  var isRequired = false
  /// The value where none is given.
  var standard: String?
  /// A value that is followed by one more word.
  var wordWithArgument: String?

  /// The option as it stands in help texts and messages.
  var text: String {
    guard let placeholder else { return "--\(name)" }
    return "--\(name) \(placeholder)\(takesMany ? "..." : "")"
  }
}

/// An option of whatever type of value.
protocol DeclaredOption: Sendable {
  var usage: OptionUsage { get }
  func anyValue(of text: String) throws(UsageError) -> any Sendable
}

/// An option whose values have a type.
struct Option<Value: Sendable>: DeclaredOption {
  var usage: OptionUsage
  /// Understands a value; throws what was expected instead.
  let read: @Sendable (String) throws(UsageError) -> Value

  init(
    _ name: String, _ placeholder: String?, _ help: String,
    read: @escaping @Sendable (String) throws(UsageError) -> Value
  ) {
    usage = OptionUsage(name: name, placeholder: placeholder, help: help)
    self.read = read
  }

  func anyValue(of text: String) throws(UsageError) -> any Sendable { try read(text) }

  /// The same option, needed.
  func required() -> Option {
    var copy = self
    copy.usage.isRequired = true
    return copy
  }

  /// The same option, with several values.
  func many() -> Option {
    var copy = self
    copy.usage.takesMany = true
    return copy
  }

  /// The same option, with a value where none is given.
  func standard(_ text: String) -> Option {
    var copy = self
    copy.usage.standard = text
    return copy
  }

  /// The same option, one value of which is followed by one more word, as in `dead-letter FILE`.
  func withArgument(after word: String) -> Option {
    var copy = self
    copy.usage.wordWithArgument = word
    return copy
  }
}

extension Option where Value == Bool {
  /// An option without value.
  static func flag(_ name: String, _ help: String) -> Option {
    Option(name, nil, help) { _ in true }
  }
}

extension Option where Value == String {
  /// Any text.
  static func text(_ name: String, _ placeholder: String, _ help: String) -> Option {
    Option(name, placeholder, help) { $0 }
  }

  /// One of some words.
  static func choice(_ name: String, _ words: [String], _ help: String) -> Option {
    Option(name, words.joined(separator: "|"), help) { text throws(UsageError) in
      guard words.contains(text) else {
        throw UsageError("one of \(words.joined(separator: ", ")) is expected\(Spelling.hint(text, words))")
      }
      return text
    }
  }
}

extension Option where Value == [String] {
  /// Names with commas between them.
  static func names(_ name: String, _ placeholder: String, _ help: String) -> Option {
    Option(name, placeholder, help) { text throws(UsageError) in
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      guard !names.contains("") else { throw UsageError("names with commas between them are expected") }
      guard Set(names).count == names.count else { throw UsageError("a name stands there twice") }
      return names
    }
  }
}

extension Option where Value == Int {
  /// A whole number, not negative.
  static func count(_ name: String, _ help: String) -> Option {
    Option(name, "N", help) { text throws(UsageError) in
      guard let value = Int(text), value >= 0 else { throw UsageError("a whole number is expected") }
      return value
    }
  }

  /// A number of bytes, with K, M or G for powers of 1024.
  static func bytes(_ name: String, _ range: ClosedRange<Int>, _ help: String) -> Option {
    Option(name, "BYTES", help) { text throws(UsageError) in
      let shift: Int? =
        switch text.last {
        case "K", "k": 10
        case "M", "m": 20
        case "G", "g": 30
        default: nil
        }
      let digits = shift == nil ? text[...] : text.dropLast()
      guard let number = Int(digits), number >= 0, number <= range.upperBound >> (shift ?? 0),
        range.contains(number << (shift ?? 0))
      else {
        throw UsageError(
          "a number of bytes from \(range.lowerBound) to \(range.upperBound), perhaps with K, M or G, is expected"
        )
      }
      return number << (shift ?? 0)
    }
  }
}

/// What a command was given.
struct Arguments: Sendable {
  /// What is no option, in order.
  var operands: [String] = []
  private var values: [String: [any Sendable]] = [:]
  /// Names of the options that are not there by their standard alone.
  private var given: Set<String> = []

  /// The value of an option; nil where it was not given and has no standard.
  subscript<Value>(_ option: Option<Value>) -> Value? { all(option).last }

  /// All values of an option.
  func all<Value>(_ option: Option<Value>) -> [Value] {
    (values[option.usage.name] ?? []).compactMap { $0 as? Value }
  }

  /// The columns that options for new tables name.
  var namedColumns: [String] {
    (self[Options.key] ?? []) + (self[Options.partitionBy] ?? []) + all(Options.orderBy)
  }

  /// Whether an option has a value, be it its standard.
  func has<Value>(_ option: Option<Value>) -> Bool { !all(option).isEmpty }

  /// Whether an option stands among the words.
  func isGiven<Value>(_ option: Option<Value>) -> Bool { given.contains(option.usage.name) }

  /// Understands the words after a command's name.
  ///
  /// `--name value` and `--name=value` mean the same; `--` ends the options.
  ///
  /// - Returns: Nil where help is asked for.
  static func parse(_ words: [String], for command: Command) throws(UsageError) -> Arguments? {
    var parser = ArgumentParser(words: words, command: command)
    return try parser.parse()
  }

  fileprivate mutating func add(_ option: any DeclaredOption, _ text: String) throws(UsageError) {
    let usage = option.usage
    if values[usage.name] != nil, !usage.takesMany { throw UsageError("--\(usage.name) is given twice") }
    do { values[usage.name, default: []].append(try option.anyValue(of: text)) } catch {
      throw UsageError("--\(usage.name) \(text): \(error.description)")
    }
  }

  /// Checks what is missing, and fills in standards.
  fileprivate mutating func complete(_ command: Command) throws(UsageError) {
    given = Set(values.keys)
    for option in command.options where values[option.usage.name] == nil {
      if option.usage.isRequired { throw UsageError("\(option.usage.text) is missing") }
      if let standard = option.usage.standard { try add(option, standard) }
    }
    guard operands.count >= command.operands.count else {
      throw UsageError("\(command.operands[operands.count].name) is missing")
    }
    guard operands.count == command.operands.count else {
      throw UsageError("\"\(operands[command.operands.count])\" is one word too many")
    }
  }
}

/// A cursor over the words of a command line.
private struct ArgumentParser {
  let words: [String]
  let command: Command
  var next = 0
  var found = Arguments()

  init(words: [String], command: Command) {
    self.words = words
    self.command = command
  }

  mutating func parse() throws(UsageError) -> Arguments? {
    while next < words.count {
      let word = words[next]
      next += 1
      if word == "--" {
        found.operands += words[next...]
        break
      }
      if word == "--help" || word == "-h" { return nil }
      if word.hasPrefix("-"), word.count > 1 { try option(word) } else { found.operands.append(word) }
    }
    try found.complete(command)
    return found
  }

  private mutating func option(_ word: String) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let written = String(parts[0])
    guard written.hasPrefix("--"),
      let option = command.options.first(where: { $0.usage.name == written.dropFirst(2) })
    else {
      let known = command.options.map { "--" + $0.usage.name } + ["--help"]
      throw UsageError("unknown option \(written)\(Spelling.hint(written, known))")
    }
    let usage = option.usage
    guard usage.placeholder != nil else {
      guard parts.count == 1 else { throw UsageError("\(written) takes no value") }
      try found.add(option, "")
      return
    }
    if parts.count == 2 {
      try found.add(option, try joined(usage, String(parts[1])))
      return
    }
    guard let value = takeValue() else {
      throw UsageError(
        "\(usage.text) lacks its value; write --\(usage.name)=VALUE for one that begins with --")
    }
    try found.add(option, try joined(usage, value))
    while usage.takesMany, let more = takeValue() { try found.add(option, more) }
  }

  /// The next word, unless it is an option.
  private mutating func takeValue() -> String? {
    guard next < words.count, !words[next].hasPrefix("--") else { return nil }
    next += 1
    return words[next - 1]
  }

  /// A value with the word that must follow it.
  private mutating func joined(_ usage: OptionUsage, _ value: String) throws(UsageError) -> String {
    guard value == usage.wordWithArgument else { return value }
    guard let argument = takeValue() else { throw UsageError("--\(usage.name) \(value) lacks its file") }
    return value + "=" + argument
  }
}

/// Finds what a misspelt word may have meant.
enum Spelling {
  /// `; did you mean X?`, or nothing where no known word is near.
  static func hint(_ word: String, _ known: [String]) -> String {
    guard let best = nearest(word, known) else { return "" }
    return "; did you mean \(best)?"
  }

  private static func nearest(_ word: String, _ known: [String]) -> String? {
    let ranked = known.map { (distance: distance(Array(word.utf8), Array($0.utf8)), word: $0) }
      .sorted { $0.distance < $1.distance }
    if let best = ranked.first, best.distance <= max(2, best.word.utf8.count / 3) { return best.word }
    return word.count > 3 ? known.first { $0.hasPrefix(word) } : nil
  }

  /// How many letters must be put in, left out or exchanged to turn one word into the other.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard left.count < 100 else { return Int.max }
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let replaced = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}
