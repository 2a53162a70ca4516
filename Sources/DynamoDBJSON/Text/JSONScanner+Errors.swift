internal import TarnBytes

// The scanner's own calls, with errors of this room.
extension JSONScanner {
  @_lifetime(self: copy self)
  mutating func finish() throws(DynamoDBJSONError) {
    guard isAtEnd() else { throw DynamoDBJSONError(.trailingText, at: offset) }
  }

  @_lifetime(self: copy self)
  mutating func openObject() throws(DynamoDBJSONError) {
    do { try beginObject() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func key() throws(DynamoDBJSONError) -> JSONText? {
    do { return try nextKey() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func openArray() throws(DynamoDBJSONError) {
    do { try beginArray() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func element() throws(DynamoDBJSONError) -> Bool {
    do { return try nextElement() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func text() throws(DynamoDBJSONError) -> JSONText {
    do { return try readString() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func truth() throws(DynamoDBJSONError) -> Bool {
    do { return try readBoolean() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func kind() throws(DynamoDBJSONError) -> JSONKind {
    do { return try peek() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func numberRange() throws(DynamoDBJSONError) -> Range<Int> {
    do { return try readNumber() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func null() throws(DynamoDBJSONError) {
    do { try readNull() } catch { throw DynamoDBJSONError(error) }
  }

  @_lifetime(self: copy self)
  mutating func taggedString() throws(DynamoDBJSONError) -> (tag: UInt8, text: JSONText)? {
    do { return try readTaggedString() } catch { throw DynamoDBJSONError(error) }
  }
}
