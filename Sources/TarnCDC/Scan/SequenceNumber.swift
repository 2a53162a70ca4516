import TarnBytes

/// The sequence numbers of streams: decimal digits, 21 to 56 of them, far beyond any integer.
enum SequenceNumber {
  /// Where a text's digits stand; nil where it is something else.
  static func digits(_ text: JSONText, _ scanner: borrowing JSONScanner) -> Range<Int>? {
    let isNumber = scanner.raw(text).withUnsafeBytes { bytes in
      !bytes.isEmpty && bytes.allSatisfy { (0x30...0x39).contains($0) }
    }
    return isNumber ? text.range : nil
  }

  /// Where the digits stand of a text as an event column has it, and the place behind them; nil where it is something
  /// else.
  static func parts(_ text: JSONText, _ scanner: borrowing JSONScanner) -> (Range<Int>?, Int?) {
    if let digits = digits(text, scanner) { return (digits, nil) }
    let mark = scanner.raw(text).withUnsafeBytes { $0.firstIndex(of: 0x2d) }
    guard let mark, mark > 0 else { return (nil, nil) }
    let start = text.range.lowerBound
    let number = start..<start + mark
    let isNumber = scanner.raw(number).withUnsafeBytes { $0.allSatisfy { (0x30...0x39).contains($0) } }
    guard isNumber, let index = Int(scanner.string(start + mark + 1..<text.range.upperBound)), index >= 0
    else { return (nil, nil) }
    return (number, index)
  }

  /// The digits of a number as an event column has it, as DynamoDB Streams and Kinesis number their records.
  ///
  /// Source: the API references of DynamoDB Streams (21 to 40 digits) and of Kinesis, whose numbers have 56.
  static let widths = (dynamodb: 40, kinesis: 56)
  /// The digits of the place within an aggregated record.
  private static let indexWidth = 10

  /// Puts a record's sequence number into a buffer, as ``EventColumn/sequence`` describes it.
  ///
  /// - Returns: Whether the record has one.
  /// - Throws: ``RejectionReason`` where it has more digits than the number of any stream.
  static func write(
    of record: borrowing ChangeRecord, _ scanner: borrowing JSONScanner, into out: inout [UInt8]
  ) throws(RejectionReason) -> Bool {
    out.removeAll(keepingCapacity: true)
    guard let range = record.sequenceNumberRange else { return false }
    var digits = scanner.raw(range)
    // Zeros before it tell nothing; a number that a function padded keeps the stream's width all the same.
    let isKinesis = record.isCarriedSequence || digits.byteCount > widths.dynamodb
    let width = isKinesis ? widths.kinesis : widths.dynamodb
    if digits.byteCount > width {
      let zeros = digits.withUnsafeBytes { $0.prefix { $0 == 0x30 }.count }
      digits = digits.extracting(min(zeros, digits.byteCount - width)...)
    }
    guard digits.byteCount <= width else {
      throw .notAChangeRecord("its sequence number has \(digits.byteCount) digits, and \(width) are the most")
    }
    for _ in digits.byteCount..<width { out.append(0x30) }
    out.append(digits)
    guard let index = record.aggregateIndex, index >= 0 else { return true }
    out.append(0x2d)
    let text = String(index)
    for _ in min(text.utf8.count, indexWidth)..<indexWidth { out.append(0x30) }
    out += text.utf8
    return true
  }
}
