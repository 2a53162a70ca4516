import LambdaRuntime
import TarnCDC

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A function that transforms the records of a delivery stream: built, it is the `bootstrap` of a custom runtime.
///
/// Its environment says what comes out:
/// - `OUTPUT`: `lines` (by default), plain JSON with `event_name` beside the attributes; or `records`, all that the change
///   records have.
/// - `PARTITION_BY`: attributes, with commas between, whose values are the keys for dynamic partitioning.
@main
struct FirehoseTransformer {
  static func main() async {
    await LambdaFunction.main {
      let settings = try Settings()
      return { invocation in
        let answer = try FirehoseTransformation().response(to: invocation.event) {
          (record, text, output) throws(RejectionReason) in
          try settings.transform(record, text, &output)
        }
        var outcome = LambdaFunction.Outcome(answer.bytes)
        outcome.log.add("changes", answer.changes)
        outcome.log.add("transformed", answer.transformed)
        outcome.log.add("dropped", answer.dropped)
        outcome.log.add("failed", answer.failures.count)
        if !answer.failures.isEmpty {
          outcome.log.add("reasons", answer.failures.prefix(10).map { "\($0.recordID): \($0.reason)" })
        }
        return outcome
      }
    }
  }
}

/// What the environment says.
private struct Settings: Sendable {
  private let keepsRecords: Bool
  private let partitionKeys: [String]

  init() throws(SettingError) {
    switch Self.variable("OUTPUT") {
    case nil, "lines": keepsRecords = false
    case "records": keepsRecords = true
    case .some(let other): throw SettingError(description: "OUTPUT is \(other), not lines or records")
    }
    partitionKeys = (Self.variable("PARTITION_BY") ?? "").split(separator: ",").map(String.init)
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  func transform(
    _ record: borrowing ChangeRecord, _ text: RawSpan, _ output: inout TransformedRecord
  ) throws(RejectionReason) {
    if keepsRecords {
      try output.appendRecord(record, in: text)
    } else {
      try output.appendLine(record, in: text)
    }
    for name in partitionKeys {
      guard let value = record.attribute(name, in: text), !value.isEmpty else {
        throw .refused(why: "it has no value for the partition key \(name)")
      }
      // Changes of one record of the stream go to one place.
      guard output.partitionKeys[name] ?? value == value else {
        throw .refused(why: "its changes have several values for the partition key \(name)")
      }
      output.partitionKeys[name] = value
    }
  }
}

private struct SettingError: Error, CustomStringConvertible {
  let description: String
}
