import TarnBytes

/// Change records in memory, such as the event that a function was called with, or an object that was fetched.
///
/// ```swift
/// try ChangeRecords.read(event) { record, text in
///   print(record.kind, record.eventTime ?? 0, record.sequenceNumber(in: text) ?? "")
/// }
/// ```
public enum ChangeRecords {
  /// Hands over each record of bytes, of every ``ChangeShape`` and out of what carries them.
  ///
  /// - Parameters:
  ///   - bytes: JSON objects one after the other, perhaps compressed, as files have them.
  ///   - name: What the bytes are called where something is wrong with them; its ending may tell the compression.
  ///   - shape: How the records are written; nil where each tells that by its members.
  ///   - rejected: What is done with records that cannot be taken; by default the first one is thrown.
  ///   - each: Called with every record and the text in which its ranges lie, which lasts for the call only. What it
  ///     throws, such as ``RejectionReason/refused(why:)``, rejects the record.
  /// - Throws: ``ChangeError`` where compressed bytes are malformed or cut off, or `rejected` throws.
  public static func read(
    _ bytes: [UInt8], name: String = "bytes", shape: ChangeShape? = nil,
    rejected: RecordReader.RejectionHandler = { record throws(ChangeError) in throw .rejected(record) },
    each: (ChangeRecord, RawSpan) throws(RejectionReason) -> Void
  ) throws(ChangeError) {
    try withoutActuallyEscaping(each) { (each) throws(ChangeError) in
      var visitor = RecordVisitor(scan: ChangeScan(shape), each: each)
      var reader = RecordReader(bytes, name: name)
      try reader.readInMemory(to: &visitor, rejected: rejected)
    }
  }
}

/// Hands records over, and keeps none.
private struct RecordVisitor: ChangeConsumer {
  var scan: ChangeScan
  let each: (ChangeRecord, RawSpan) throws(RejectionReason) -> Void

  func isFull(limit: Int) -> Bool { false }

  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    try each(scan.record, scanner.bytes)
  }
}

extension ChangeBatchBuilder {
  /// Takes all change records of bytes in memory, however many rows the batch then has; see
  /// ``ChangeRecords/read(_:name:shape:rejected:each:)``.
  ///
  /// - Throws: ``ChangeError`` where compressed bytes are malformed or cut off, or `rejected` throws: then some records
  ///   have been taken.
  public mutating func append(
    _ bytes: [UInt8], name: String = "bytes",
    rejected: RecordReader.RejectionHandler = { record throws(ChangeError) in throw .rejected(record) }
  ) throws(ChangeError) {
    var reader = RecordReader(bytes, name: name)
    try reader.readInMemory(to: &self, rejected: rejected)
  }
}

extension SchemaInference {
  /// Takes note of all records of bytes in memory, as ``ChangeBatchBuilder/append(_:name:rejected:)`` takes them.
  public mutating func append(
    _ bytes: [UInt8], name: String = "bytes",
    rejected: RecordReader.RejectionHandler = { record throws(ChangeError) in throw .rejected(record) }
  ) throws(ChangeError) {
    var reader = RecordReader(bytes, name: name)
    try reader.readInMemory(to: &self, rejected: rejected)
  }
}
