import TarnBytes

/// Takes change records, whatever carries them.
protocol ChangeConsumer: RecordConsumer {
  /// Scans the records.
  var scan: ChangeScan { get set }

  /// Takes the record that ``scan`` has, with the text that it was scanned in.
  ///
  /// - Throws: ``RejectionReason`` where it cannot be taken.
  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason)
}

extension ChangeConsumer {
  /// Change records.
  package var shape: RecordShape { .changeRecord }

  /// Does nothing: who reads hears of it.
  package mutating func noteRejected() {}

  /// Takes the change record that comes next, or those that the object carries.
  @_lifetime(scanner: copy scanner)
  package mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason) { try takeNext(&scanner) }

  /// Takes note of what is known of the file whose records come next.
  package mutating func begin(_ facts: FileFacts) { scan.facts = facts }

  /// Whether carried records could not be taken.
  package var hasCarriedRejections: Bool { !scan.rejections.isEmpty }

  /// Hands out the carried records that could not be taken.
  package mutating func takeCarriedRejections() -> [CarriedRejection] {
    defer { scan.rejections = [] }
    return scan.rejections
  }

  /// Takes the change record that comes next, or those that the object carries.
  @inline(__always)
  @_lifetime(scanner: copy scanner)
  mutating func takeNext(_ scanner: inout JSONScanner) throws(RejectionReason) {
    if try scan.scan(&scanner) { return try takeRecord(scanner) }
    var number = 0
    try takeEnvelope(&scanner, &number, depth: 0)
  }

  /// Takes the records of the envelope that comes next.
  ///
  /// - Parameter number: How many records came before in the outermost one.
  @_lifetime(scanner: copy scanner)
  private mutating func takeEnvelope(
    _ scanner: inout JSONScanner, _ number: inout Int, depth: Int
  ) throws(RejectionReason) {
    let envelope: Envelope
    do { envelope = try Envelope(&scanner) } catch { throw .notJSON(BrokenJSON(error)) }
    for part in envelope.parts {
      if part.isDecoded {
        takePart(part, envelope.decoded.span.bytes, &number, depth: depth)
      } else {
        takePart(part, scanner.bytes, &number, depth: depth)
      }
    }
  }

  /// Takes the records of a part of an envelope.
  ///
  /// - Parameters:
  ///   - text: What the part's range lies in.
  ///   - number: How many records came before in the outermost envelope.
  mutating func takePart(
    _ part: Envelope.Part, _ text: RawSpan, _ number: inout Int, depth: Int
  ) {
    var scanner = JSONScanner(text.extracting(first: part.range.upperBound), at: part.range.lowerBound)
    if let problem = part.problem {
      number += 1
      return reject(part.range, of: part, scanner, problem, number)
    }
    while !scanner.isAtEnd() {
      let start = scanner.offset
      number += 1
      do throws(RejectionReason) {
        guard try scan.scan(&scanner) else {
          number -= 1
          guard depth < ChangeScan.depthLimit else {
            throw .badEnvelope("records lie within too many others")
          }
          // Nothing carries so much as what it lies in, so that this ends.
          try takeEnvelope(&scanner, &number, depth: depth + 1)
          continue
        }
        if let sequence = part.sequenceNumber, scan.record.sequenceNumberRange == nil {
          scan.record.sequenceNumberRange = sequence
          scan.record.isCarriedSequence = true
        }
        if let index = part.aggregateIndex { scan.record.aggregateIndex = index }
        try takeRecord(scanner)
      } catch {
        // Where a text is broken, nothing tells the end of what is.
        let isBroken = error.json != nil || error.code == .badEnvelope
        let end = isBroken ? part.range.upperBound : scanner.offset
        reject(start..<end, of: part, scanner, error.relative(to: start), number)
        if isBroken { return }
      }
    }
  }

  private mutating func reject(
    _ range: Range<Int>, of part: Envelope.Part, _ scanner: borrowing JSONScanner, _ reason: RejectionReason,
    _ number: Int
  ) {
    scan.rejections.append(
      CarriedRejection(
        bytes: scanner.raw(range).copied(), reason: reason, number: number,
        sequenceNumber: part.sequenceNumber.map { scanner.raw($0).copied() },
        aggregateIndex: part.aggregateIndex))
  }
}
