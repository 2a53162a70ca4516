public import TarnColumns

/// The columns that change records fill beside the attributes.
public enum EventColumn {
  /// Identifies the change: its eventID, a string.
  public static let id = "_event_id"
  /// What happened: `INSERT`, `MODIFY` or `REMOVE`, a string.
  public static let name = "_event_name"
  /// When it happened, a timestamp.
  public static let time = "_event_time"
  /// Where it stands among the changes of its time: the stream's sequence number, as text in whose order the numbers are.
  ///
  /// A number of DynamoDB Streams has 40 digits, one of Kinesis 56, zeros before the others; behind a Kinesis record's
  /// that aggregates several, `-` and ten digits of the place within it. It tells an order within one stream alone.
  public static let sequence = "_event_sequence"

  /// All of them as fields of a schema.
  public static let fields = [
    Field(id, .string), Field(name, .string), Field(time, .timestamp(.microseconds, .instant)),
    Field(sequence, .string),
  ]
}
