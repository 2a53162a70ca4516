internal import TarnBytes

/// What a process found out of a store, for those that come after it.
struct StoreFindings: Sendable, Hashable {
  /// Of how many stores it is kept at once.
  static let most = 8

  /// The store, by endpoint and bucket: what lies elsewhere, as a copy of a table does, has been tried nowhere.
  let store: String
  /// How it wants tags in the conditions of puts, which it heeds.
  let quoting: TagQuoting
  /// Whether it heeds the condition that nothing is there when an upload is completed; nil for what was not tried.
  let heedsAbsent: Bool?
  /// Whether it heeds a tag then.
  let heedsMatched: Bool?

  /// The findings as JSON.
  static func text(of all: [StoreFindings]) -> String {
    JSONValue.array(
      all.prefix(most).map { found in
        var members: [JSONValue.Member] = [
          .init("store", .string(found.store)), .init("tags", .string(found.quoting.rawValue)),
        ]
        if let heeds = found.heedsAbsent { members.append(.init("completesIfAbsent", .boolean(heeds))) }
        if let heeds = found.heedsMatched { members.append(.init("completesIfMatches", .boolean(heeds))) }
        return .object(members)
      }
    ).text()
  }

  /// The findings of a text; none where it is not understood.
  static func parse(_ text: String) -> [StoreFindings] {
    guard let json = try? JSONValue(parsing: Array(text.utf8)) else { return [] }
    return (json.elements ?? []).prefix(most).compactMap { json in
      guard let store = json["store"]?.string,
        let quoting = json["tags"]?.string.flatMap({ TagQuoting(rawValue: $0) })
      else { return nil }
      return StoreFindings(
        store: store, quoting: quoting, heedsAbsent: json["completesIfAbsent"]?.boolean,
        heedsMatched: json["completesIfMatches"]?.boolean)
    }
  }
}
