/// How change records are written.
///
/// What carries such records needs no name, and is opened wherever it comes: events of AWS Lambda, answers of
/// GetRecords, aggregated records, and the records that a delivery stream leaves under its error prefix.
public enum ChangeShape: String, Sendable, Hashable, CaseIterable {
  /// Records of DynamoDB Streams and of Kinesis Data Streams for DynamoDB.
  case dynamodb
  /// Lines of DynamoDB's exports to S3: `Item` in full ones; `Keys`, `NewImage` and `OldImage` in incremental ones.
  case export
  /// Debezium's envelope: `op`, `before`, `after`, `source` and `ts_ms`, alone or as the `payload` beside a `schema`.
  case debezium
  /// Rows as AWS DMS writes them, with `Op` beside the columns.
  case dms
  /// An item's attributes as plain JSON, with `event_name` beside them, as functions that transform records for a
  /// delivery stream write them; `event_id`, `event_time`, `event_sequence`, `event_index` (the place within an
  /// aggregated record) and `event_table` are understood too.
  case eventName = "event-name"
}
