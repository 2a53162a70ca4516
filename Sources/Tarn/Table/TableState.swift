import TarnAvro
import TarnColumns
import TarnStorage
import TarnTimeline

/// A table as one look at its storage found it: properties, timeline and schema.
struct TableState: Sendable {
  let properties: TableProperties
  let timeline: Timeline
  /// The data columns, without meta columns; nil for a table without commits and without a schema.
  let schema: Schema?

  /// Reads the properties and the timeline.
  ///
  /// - Throws: ``TableError``: `noTable`, `damaged`, or `unsupported` for a version that Tarn does not know.
  static func load(_ storage: any Storage) async throws(TableError) -> TableState {
    try await tableErrors {
      let properties = try await TableProperties.load(from: storage)
      let timeline = try await Timeline.load(from: storage)
      return TableState(
        properties: properties, timeline: timeline,
        schema: try await schema(properties, timeline, storage))
    }
  }

  /// The schema of the latest commit that names one, else the one the table was created with.
  private static func schema(
    _ properties: TableProperties, _ timeline: Timeline, _ storage: any Storage
  ) async throws -> Schema? {
    for entry in timeline.completedCommits.reversed() {
      let metadata = try await CommitLog(storage).metadata(of: entry)
      if let text = metadata.schema { return MetaColumns.removed(from: try AvroSchema.parse(text)) }
    }
    guard let text = properties.createSchema else { return nil }
    return MetaColumns.removed(from: try AvroSchema.parse(text))
  }

  /// The schema.
  ///
  /// - Throws: ``TableError`` where the table has none.
  func requireSchema() throws(TableError) -> Schema {
    guard let schema else {
      throw TableError(
        .damaged, "table \(properties.name) has neither a commit nor a schema in its properties")
    }
    return schema
  }
}
