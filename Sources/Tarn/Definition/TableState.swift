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
  /// The latest commits, as many as had to be read for the schema, by instant.
  let latestCommits: [(instant: Instant, document: CommitDocument)]

  /// Reads the properties and the timeline.
  ///
  /// - Throws: ``TableError``: `noTable`, `damaged`, or `unsupported` for a version that Tarn does not know.
  static func load(_ storage: any Storage) async throws(TableError) -> TableState {
    try await tableErrors {
      let properties = try await TableProperties.load(from: storage)
      let timeline = try await Timeline.load(from: storage)
      // The schema is that of the latest commit that names one, else the one the table was created with.
      var text: String?
      var commits: [(instant: Instant, document: CommitDocument)] = []
      for entry in timeline.completedCommits.reversed() where text == nil {
        let document = try await CommitLog(storage).document(of: entry)
        commits.append((entry.instant, document))
        text = document.schema
      }
      return TableState(
        properties: properties, timeline: timeline,
        schema: try (text ?? properties.createSchema).map {
          MetaColumns.removed(from: try AvroSchema.parse($0))
        }, latestCommits: commits.reversed())
    }
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
