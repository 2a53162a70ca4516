public import Tarn
import TarnBytes
public import TarnCDC

/// The answer to an event of a stream, and what came of it.
public struct StreamAnswer: Sendable {
  /// The sequence number of the first record that was not taken; nil where all were.
  ///
  /// Lambda hands that one and all behind it over again.
  public var failedSequenceNumber: String?
  /// Why that record was not taken; nil where all were.
  public var failure: (any Error)?
  /// The commit; nil where there was nothing to write.
  public var commit: CommitReport?
  /// What was taken.
  public var counts = ChangeCounts()
  /// Records that went to the dead letters.
  public var deadLetters: [RejectedRecord] = []

  /// The answer as JSON: `{"batchItemFailures":[]}`, or with the ``failedSequenceNumber`` as its `itemIdentifier`.
  ///
  /// Lambda reads it only where the event source mapping has `ReportBatchItemFailures` among its `FunctionResponseTypes`;
  /// without that any answer means that all records were taken, and a function has to fail where
  /// ``failedSequenceNumber`` is there.
  public var bytes: [UInt8] {
    var out = Array("{\"batchItemFailures\":[".utf8)
    if let failedSequenceNumber {
      out.append(text: "{\"itemIdentifier\":")
      out.appendJSON(string: failedSequenceNumber)
      out.append(0x7d)
    }
    out.append(text: "]}")
    return out
  }
}
