extension AttributeValue {
  /// Checks what the type itself leaves open: that sets have members, none of them twice, and that values are not nested
  /// deeper than DynamoDB stores them.
  ///
  /// - Parameter levels: Maps and lists around the value.
  func checkIsStorable(levels: Int) throws(DynamoDBJSONError) {
    switch self {
    case .map(let item):
      guard levels < Self.storedDepthLimit else { throw DynamoDBJSONError(.tooDeepToStore) }
      for attribute in item.attributes {
        do { try attribute.value.checkIsStorable(levels: levels + 1) } catch {
          throw error.under(attribute.name)
        }
      }
    case .list(let values):
      guard levels < Self.storedDepthLimit else { throw DynamoDBJSONError(.tooDeepToStore) }
      for (index, value) in values.enumerated() {
        do { try value.checkIsStorable(levels: levels + 1) } catch { throw error.under(index) }
      }
    case .stringSet(let texts):
      try Self.checkAreDistinct(Self.sorted(texts)) { $0.elementsEqual($1) }
    case .numberSet(let numbers): try Self.checkAreDistinct(numbers.sorted(), ==)
    case .binarySet(let members): try Self.checkAreDistinct(Self.sorted(members), ==)
    case .string, .number, .binary, .boolean, .null: break
    }
  }

  private static func checkAreDistinct<Member>(
    _ sorted: [Member], _ areEqual: (Member, Member) -> Bool
  ) throws(DynamoDBJSONError) {
    guard !sorted.isEmpty else { throw DynamoDBJSONError(.emptySet) }
    for index in sorted.indices.dropFirst() where areEqual(sorted[index], sorted[index - 1]) {
      throw DynamoDBJSONError(.duplicateMember("one member"))
    }
  }
}
