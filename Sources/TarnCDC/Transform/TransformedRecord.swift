import TarnBytes

/// What becomes of one record of a delivery stream: the bytes that are delivered in its place.
///
/// Without bytes the record is dropped. A record that carries several changes, as an aggregated one does, gets the lines
/// of them all.
public struct TransformedRecord: Sendable {
  /// The bytes so far.
  ///
  /// A delivery stream puts nothing between records, so that each should end in a line end.
  public var bytes: [UInt8] = []
  /// The keys for dynamic partitioning, which a prefix names as `!{partitionKeyFromLambda:NAME}`.
  ///
  /// Firehose takes no empty values, and the keys are one set for the whole record.
  public var partitionKeys: [String: String] = [:]

  /// Nothing yet.
  public init() {}

  /// Appends a change as one line of JSON: its item's attributes without type tags, with `event_name` and, as far as the
  /// record has them, `event_id`, `event_time`, `event_sequence`, `event_index` and `event_table` beside them, which is
  /// ``ChangeShape/eventName``.
  ///
  /// Attributes are those of NewImage, or of OldImage where the item was removed, and of Keys where the image lacks them.
  /// Numbers keep their digits, bytes are base64 text, and sets, lists and maps are plain JSON in the canonical order.
  /// The time is ISO 8601 in UTC with as many digits as the record's. The old image of an item that was modified is left
  /// out: where items may move from one partition of a table to another, ``appendRecord(_:in:)`` keeps it.
  ///
  /// - Parameter text: What the record was scanned in.
  /// - Throws: ``RejectionReason`` where the record has no image to store, an attribute is no value of its type, or one
  ///   has the name of a member that tells of the change; then nothing was appended.
  public mutating func appendLine(_ record: borrowing ChangeRecord, in text: RawSpan) throws(RejectionReason)
  {
    let start = bytes.count
    do throws(RejectionReason) {
      try record.appendLine(JSONScanner(text), to: &bytes)
    } catch {
      bytes.removeLast(bytes.count - start)
      throw error
    }
  }

  /// Appends a change as one line of JSON with all that it has: ``ChangeRecord/appendNormalForm(_:to:)``.
  ///
  /// - Parameter text: What the record was scanned in.
  /// - Throws: ``RejectionReason`` where plain JSON has a value that no attribute can have; then nothing was appended.
  public mutating func appendRecord(_ record: borrowing ChangeRecord, in text: RawSpan)
    throws(RejectionReason)
  {
    try record.appendNormalForm(text, to: &bytes)
  }

  mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    if !partitionKeys.isEmpty { partitionKeys = [:] }
  }
}

extension ChangeRecord {
  /// The text of an attribute, such as for a partition key: of NewImage, or else of Keys or OldImage.
  ///
  /// Text comes as it is, numbers with the digits they are written with, bytes as base64, lists and maps as JSON.
  ///
  /// - Parameter text: What the record was scanned in.
  /// - Returns: Nil where the record has no such attribute, or it is NULL.
  public func attribute(_ name: String, in text: RawSpan) -> String? {
    let scanner = JSONScanner(text)
    for image in [newImage, keys, oldImage] {
      guard let image else { continue }
      for value in values[image] where scanner.text(value.name, isEscaped: value.nameIsEscaped) == name {
        switch value.kind {
        case .null: return nil
        case .yes: return "true"
        case .no: return "false"
        default: return scanner.text(value.value, isEscaped: value.valueIsEscaped)
        }
      }
    }
    return nil
  }
}
