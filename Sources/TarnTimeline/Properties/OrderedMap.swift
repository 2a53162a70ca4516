import TarnBytes

/// Values under text keys, in the order in which the keys came.
///
/// Files that Tarn reads and writes again keep the order of their entries.
public struct OrderedMap<Value: Sendable & Hashable>: Sendable, Hashable {
  /// The keys in order.
  public private(set) var keys: [String] = []
  private var values: [ExactText: Value] = [:]

  /// Makes an empty map.
  public init() {}

  /// Makes a map of pairs; a later value of a key replaces an earlier one.
  public init(_ pairs: some Sequence<(String, Value)>) {
    for (key, value) in pairs { self[key] = value }
  }

  /// Number of entries.
  public var count: Int { keys.count }

  /// Whether there is no entry.
  public var isEmpty: Bool { keys.isEmpty }

  /// The entries in order.
  public var pairs: [(key: String, value: Value)] {
    keys.compactMap { key in values[ExactText(key)].map { (key, $0) } }
  }

  /// The value under a key; a new key goes to the end, and nil removes it.
  public subscript(_ key: String) -> Value? {
    get { values[ExactText(key)] }
    set {
      let before = values.updateOrRemove(newValue, at: ExactText(key))
      if before == nil, newValue != nil { keys.append(key) }
      if before != nil, newValue == nil { keys.removeAll { ExactText($0) == ExactText(key) } }
    }
  }

  /// The value under a key, which begins as the default where there is none.
  public subscript(_ key: String, default standard: @autoclosure () -> Value) -> Value {
    get { values[ExactText(key)] ?? standard() }
    _modify {
      if values[ExactText(key)] == nil { keys.append(key) }
      yield &values[ExactText(key), default: standard()]
    }
  }
}

extension OrderedMap: ExpressibleByDictionaryLiteral {
  /// Makes a map of the pairs of a literal.
  public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

extension Dictionary {
  fileprivate mutating func updateOrRemove(_ value: Value?, at key: Key) -> Value? {
    if let value { updateValue(value, forKey: key) } else { removeValue(forKey: key) }
  }
}
