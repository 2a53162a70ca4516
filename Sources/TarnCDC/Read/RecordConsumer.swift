import TarnBytes

/// What the objects are that a consumer takes, by which they are found behind a broken one.
package enum RecordShape: Sendable, Hashable {
  /// Any JSON objects.
  case object
  /// DynamoDB change records, whose members are known.
  case changeRecord
}

/// Takes records, one after the other, from text that a ``RecordReader`` brings.
package protocol RecordConsumer {
  /// What its records are.
  var shape: RecordShape { get }

  /// Whether it holds so much that reading should pause; `limit` is what the caller of the reader gave.
  func isFull(limit: Int) -> Bool

  /// Takes the JSON object that comes next.
  ///
  /// - Throws: ``RejectionReason``: `notJSON` where the text is no JSON object; nothing must have been taken
  ///   then, since the reader calls again when more text is there. Any other where the object cannot be taken;
  ///   the scanner must then stand behind it.
  @_lifetime(scanner: copy scanner)
  mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason)

  /// Takes note of what is known of the file whose records come next.
  mutating func begin(_ facts: FileFacts)

  /// Takes note that a record was rejected.
  mutating func noteRejected()

  /// Whether records that the last object carried could not be taken, while the object itself was.
  var hasCarriedRejections: Bool { get }

  /// Hands them out; the reader notes them.
  mutating func takeCarriedRejections() -> [CarriedRejection]
}

extension RecordConsumer {
  /// Any JSON objects.
  package var shape: RecordShape { .object }

  /// Does nothing: the records say all.
  package mutating func begin(_ facts: FileFacts) {}

  /// None: the objects are the records.
  package var hasCarriedRejections: Bool { false }

  /// None.
  package mutating func takeCarriedRejections() -> [CarriedRejection] { [] }
}
