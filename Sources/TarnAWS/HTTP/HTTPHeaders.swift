/// Headers of a request or an answer, in their order, with names in lower case.
public struct HTTPHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One header.
  public struct Field: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    private static let secrets: Set = [
      "authorization", "proxy-authorization", "x-amz-security-token", "x-amz-sso_bearer_token",
      "x-amz-s3session-token", "x-aws-ec2-metadata-token", "x-amz-server-side-encryption-customer-key",
      "x-amz-copy-source-server-side-encryption-customer-key",
    ]

    /// The name, in lower case.
    public let name: String
    /// The value.
    public let value: String

    /// Name and value, but for a value that signs or is a key.
    public var description: String { name + ": " + (Self.secrets.contains(name) ? "(secret)" : value) }

    /// The description alone.
    public var customMirror: Mirror { Mirror(self, children: ["field": description]) }
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
