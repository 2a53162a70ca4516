import TarnBytes

/// A record that stood within another object and cannot be taken.
package struct CarriedRejection: Sendable {
  /// Its bytes, decoded where they stood in base64.
  package var bytes: [UInt8]
  package var reason: RejectionReason
  /// Its number, from 1, among the records that the object carries.
  package var number: Int
  /// The sequence number of what carried it, in digits, where it has one.
  package var sequenceNumber: [UInt8]?
  /// Its place within an aggregated record.
  package var aggregateIndex: Int?
}

/// What is known of the records of one file, whatever these say.
package struct FileFacts: Sendable, Hashable {
  /// The DynamoDB table that they are of.
  package var tableName: String?
  /// The time of records that have none, in microseconds since 1970-01-01T00:00:00Z.
  package var time: Int64?

  package init(tableName: String? = nil, time: Int64? = nil) {
    self.tableName = tableName
    self.time = time
  }
}

/// Takes change records of any shape, and opens what carries them.
struct ChangeScan: Sendable {
  /// The shape that records must have; nil where each object tells its own.
  let shape: ChangeShape?
  /// The record that was scanned last.
  var record = ChangeRecord()
  /// Carried records that could not be taken and have not been handed out.
  var rejections: [CarriedRejection] = []
  /// What is known of the present file.
  var facts = FileFacts()
  /// What the next object is taken for first, since objects of one file are seldom of several shapes.
  private var guess: ObjectShape

  /// How many envelopes may lie within one another.
  static let depthLimit = 4

  init(_ shape: ChangeShape?) {
    self.shape = shape
    guess = .record(shape ?? .dynamodb)
  }

  /// Scans the object that comes next.
  ///
  /// - Returns: Whether it is a record, which is ``record`` then; false for an envelope, before which the scanner stands
  ///   again.
  /// - Throws: ``RejectionReason``: `notJSON`, and the scanner stands somewhere in the object; any other, and it stands
  ///   behind it.
  @inline(__always)
  @_lifetime(scanner: copy scanner)
  mutating func scan(_ scanner: inout JSONScanner) throws(RejectionReason) -> Bool {
    guard guess == .record(.dynamodb) else { return try scanOther(&scanner) }
    let start = scanner.offset
    do throws(RejectionReason) {
      try record.scan(&scanner)
      return true
    } catch {
      guard error.json == nil, !record.hasBody else { throw error }
      return try scan(&scanner, from: start, afterFailing: error)
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanOther(_ scanner: inout JSONScanner) throws(RejectionReason) -> Bool {
    try scan(&scanner, from: scanner.offset, afterFailing: nil)
  }

  /// Scans an object whose shape it tells.
  ///
  /// - Parameter failure: What is wrong with it where it is taken for a record of DynamoDB's own.
  @_lifetime(scanner: copy scanner)
  private mutating func scan(
    _ scanner: inout JSONScanner, from start: Int, afterFailing failure: RejectionReason?
  ) throws(RejectionReason) -> Bool {
    scanner.offset = start
    let found: ObjectShape?
    do { found = try ObjectShape.detect(&scanner, shape) } catch { throw .notJSON(BrokenJSON(error)) }
    let end = scanner.offset
    switch found {
    case .envelope:
      scanner.offset = start
      guess = .envelope
      return false
    case .record(let detected):
      let shape = shape ?? detected
      scanner.offset = start
      defer { scanner.offset = end }
      try record.scan(&scanner, as: shape)
      if shape == .export { addFacts() }
      guess = .record(shape)
      return true
    case nil:
      guard let shape else {
        throw failure
          ?? .notAChangeRecord("eventName is missing, and it is of no other shape that is known")
      }
      scanner.offset = start
      defer { scanner.offset = end }
      try record.scan(&scanner, as: shape)
      return true
    }
  }

  /// Adds to a record of an export what its manifest says.
  private mutating func addFacts() {
    record.tableOfFile = facts.tableName
    guard record.eventTime == nil, let time = facts.time else { return }
    record.eventTime = time
    record.eventTimePrecision = .millisecond
  }
}
