import TarnBytes

/// Tells the records of one DynamoDB table from those of others on the same stream.
struct TableChoice: Sendable {
  /// The name that was asked for.
  private let wanted: String?
  /// The name of the table whose records are taken, as it stands in them.
  private var known: [UInt8]

  init(_ wanted: String?) {
    self.wanted = wanted
    known = wanted.map { Array($0.utf8) } ?? []
  }

  /// Whether a record is to be taken; otherwise it is to be passed over.
  ///
  /// - Throws: ``RejectionReason`` where no table was asked for and the record is not of the first one's, or
  ///   where one was and the record does not say its own.
  mutating func takes(
    _ record: borrowing ChangeRecord, _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) -> Bool {
    guard let name = record.tableNameRange else {
      if let name = record.tableOfFile { return try takes(name) }
      guard let wanted else { return true }
      throw .notAChangeRecord("it does not say whether it is of the table \(wanted)")
    }
    if scanner.raw(name).isEqual(to: known.span.bytes) { return true }
    guard wanted == nil else { return false }
    if known.isEmpty {
      known = scanner.raw(name).copied()
      return true
    }
    throw .otherTable(
      name: scanner.string(name), expected: String(decoding: known, as: UTF8.self))
  }

  /// Whether a record of a file whose table is known is to be taken.
  private mutating func takes(_ name: String) throws(RejectionReason) -> Bool {
    if known.elementsEqual(name.utf8) { return true }
    guard wanted == nil else { return false }
    if known.isEmpty {
      known = Array(name.utf8)
      return true
    }
    throw .otherTable(name: name, expected: String(decoding: known, as: UTF8.self))
  }
}
