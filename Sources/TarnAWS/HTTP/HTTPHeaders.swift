/// Headers of a request or an answer, in their order, with names in lower case.
public struct HTTPHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One header.
  public struct Field: Sendable, Hashable {
    /// The name, in lower case.
    public let name: String
    /// The value.
    public let value: String
  }

  /// The headers in their order; a name may come more than once.
  public private(set) var fields: [Field] = []

  /// Makes no headers.
  public init() {}

  /// Makes headers in the order given.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { add(name, value) }
  }

  /// Adds a header after those that are there, of the same name too.
  public mutating func add(_ name: String, _ value: String) {
    fields.append(Field(name: name.lowercased(), value: value))
  }

  /// The first value of a name, in any case; setting it replaces all of the name, and nil removes them.
  public subscript(_ name: String) -> String? {
    get {
      let name = name.lowercased()
      return fields.first { $0.name == name }?.value
    }
    set {
      let name = name.lowercased()
      fields.removeAll { $0.name == name }
      if let newValue { add(name, newValue) }
    }
  }
}
