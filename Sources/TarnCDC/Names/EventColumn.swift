public import TarnColumns

/// The columns that change records fill beside the attributes.
public enum EventColumn {
  /// Identifies the change: its eventID, a string.
  public static let id = "_event_id"
  /// What happened: `INSERT`, `MODIFY` or `REMOVE`, a string.
  public static let name = "_event_name"
  /// When it happened, a timestamp.
  public static let time = "_event_time"

  /// The three as fields of a schema.
  public static let fields = [
    Field(id, .string), Field(name, .string), Field(time, .timestamp(.microseconds, .instant)),
  ]
}
