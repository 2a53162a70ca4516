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
  /// The value where the option stands without one, which follows an equals sign only then.
  var bareValue: String?
  /// A value that is followed by one more word.
  var wordWithArgument: String?

  /// The option as it stands in help texts and messages.
  var text: String {
    guard let placeholder else { return "--\(name)" }
    if bareValue != nil { return "--\(name)[=\(placeholder)]" }
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

  /// The same option, which has a value of its own where none is given behind an equals sign.
  func bare(_ text: String) -> Option {
    var copy = self
    copy.usage.bareValue = text
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

  /// A number in a range.
  ///
  /// - Parameter what: What is counted, for people; nil where that is clear.
  static func number(
    _ name: String, _ value: String, _ range: ClosedRange<Int>, of what: String? = nil, _ help: String
  ) -> Option {
    Option(name, value, help) { text throws(UsageError) in
      guard let number = Int(text), range.contains(number) else {
        throw UsageError(
          "a number \(what.map { "of \($0) " } ?? "")from \(range.lowerBound) to \(range.upperBound) is expected"
        )
      }
      return number
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
