import LambdaRuntime
import Tarn
import TarnIngest
import TarnS3
import TarnStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A function that commits the records of a Kinesis stream, or of DynamoDB Streams, to a table: built, it is the
/// `bootstrap` of a custom runtime.
///
/// Its environment:
/// - `TABLE`: the table, a folder or `s3://BUCKET/PREFIX`, which `tarn ingest --create` or `tarn create` has made.
/// - `DEAD_LETTERS`: where records go that cannot be taken, in the same forms. Without it, the records before the first of
///   them are committed, and it is answered as failed.
/// - `DYNAMODB_TABLE`: the DynamoDB table whose records are taken, where the stream has those of several.
///
/// The event source mapping must have `ReportBatchItemFailures` among its `FunctionResponseTypes`: without it Lambda takes
/// an answer that names a record for one that took all. An event of which nothing was taken fails as a whole, which
/// Lambda understands in either case.
@main
struct StreamFunction {
  static func main() async {
    await LambdaFunction.main {
      guard let place = variable("TABLE") else { throw SettingError(description: "TABLE is not set") }
      var handler = TarnIngest.StreamHandler(try await Table.open(at: try location(place)))
      handler.dynamoDBTable = variable("DYNAMODB_TABLE")
      if let folder = variable("DEAD_LETTERS") {
        handler.badRecords = .deadLetters(try storage(folder), folder: "")
      }
      return { [handler] invocation in
        let answer = try await handler.handle(invocation.event)
        var outcome = LambdaFunction.Outcome(answer.bytes)
        outcome.log.add("changes", answer.counts.records)
        outcome.log.add("deadLetters", answer.deadLetters.count)
        if let instant = answer.commit?.instant { outcome.log.add("commit", "\(instant)") }
        if let number = answer.failedSequenceNumber {
          outcome.log.add("failedSequenceNumber", number)
          let why = answer.failure.map { "\($0)" } ?? "it could not be taken"
          outcome.log.add("reason", why)
          if answer.commit == nil { outcome.failure = "record \(number): \(why)" }
        }
        return outcome
      }
    }
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  private static func location(_ place: String) throws -> TableLocation {
    place.hasPrefix("s3://") ? try .s3(place) : .local(place)
  }

  private static func storage(_ place: String) throws -> any Storage {
    place.hasPrefix("s3://")
      ? try S3Storage(S3Location(place), client: try S3Client()) : LocalStorage(root: place)
  }
}

private struct SettingError: Error, CustomStringConvertible {
  let description: String
}
