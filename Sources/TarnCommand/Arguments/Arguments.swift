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
    if let missing = command.operands.dropFirst(operands.count).first(where: { !$0.isOptional }) {
      throw UsageError("\(missing.name) is missing")
    }
    let takesMany = command.operands.last?.takesMany ?? false
    guard operands.count <= command.operands.count || takesMany else {
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
    if let bare = usage.bareValue {
      try found.add(option, bare)
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
