/// Values under text keys, in the order in which the keys came.
///
/// Files that Tarn reads and writes again keep the order of their entries.
public struct OrderedMap<Value: Sendable & Hashable>: Sendable, Hashable {
  /// The keys in order.
  public private(set) var keys: [String] = []
  private var values: [String: Value] = [:]

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
    keys.compactMap { key in values[key].map { (key, $0) } }
  }

  /// The value under a key; a new key goes to the end, and nil removes it.
  public subscript(_ key: String) -> Value? {
    get { values[key] }
    set {
      let before = values.updateOrRemove(newValue, at: key)
      if before == nil, newValue != nil { keys.append(key) }
      if before != nil, newValue == nil { keys.removeAll { $0 == key } }
    }
  }

  /// The value under a key, which begins as the default where there is none.
  public subscript(_ key: String, default standard: @autoclosure () -> Value) -> Value {
    get { values[key] ?? standard() }
    _modify {
      if values[key] == nil { keys.append(key) }
      yield &values[key, default: standard()]
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
