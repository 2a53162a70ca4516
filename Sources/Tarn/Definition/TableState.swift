import TarnAvro
import TarnColumns
import TarnStorage
import TarnTimeline

/// A table as one look at its storage found it: properties, timeline and schema.
struct TableState: Sendable {
  let properties: TableProperties
  let timeline: Timeline
  /// The head that was read before the timeline, on which a write stands; nil for a reader's look.
  let head: LoadedHead?
  /// How the lock of other engines is taken; nil where they have none, and for a reader's look.
  let locking: HudiLocking?
  /// What other engines cluster or replace; none for a reader's look.
  var replacements: [PendingReplacement]
  /// The data columns, without meta columns; nil for a table without commits and without a schema.
  let schema: Schema?
  /// Names the schema as it is written; nil where there is none.
  let schemaName: String?
  /// The latest commits, as many as had to be read for the schema, by instant.
  let latestCommits: [(instant: Instant, document: CommitDocument)]

  /// How often a table is looked at whose commits are archived while they are read.
  static let mostLooks = 5

  /// Reads the properties and the timeline, as a reader does.
  ///
  /// - Throws: ``TableError``: `noTable`, `damaged`, or `unsupported` for a version that Tarn does not know.
  static func load(_ storage: any Storage) async throws(TableError) -> TableState {
    var looks = 1
    while true {
      do throws(TableError) { return try await look(storage) } catch {
        guard error.isOfVanishedCommit, looks < mostLooks else { throw error }
        looks += 1
      }
    }
  }

  private static func look(_ storage: any Storage) async throws(TableError) -> TableState {
    let properties: TableProperties
    let timeline: Timeline
    do throws(TimelineError) {
      properties = try await TableProperties.load(from: storage)
      timeline = try await SettledTimeline.load(from: storage).timeline
    } catch { throw TableError(error) }
    return try await TableState(properties, timeline, nil, storage)
  }

  /// Reads what the commits of a timeline tell of the table.
  ///
  /// - Parameter known: A commit that was read already.
  init(
    _ properties: TableProperties, _ timeline: Timeline, _ head: LoadedHead?,
    locking: HudiLocking? = nil, besides replacements: [PendingReplacement] = [],
    knowing known: ReadCommit? = nil, _ storage: any Storage
  ) async throws(TableError) {
    self.locking = locking
    self.replacements = replacements
    self.properties = properties
    self.timeline = timeline
    self.head = head
    // The schema is that of the latest commit that names one, else the one the table was created with.
    var text: String?
    var commits: [(instant: Instant, document: CommitDocument)] = []
    do {
      for entry in timeline.completedCommits.reversed() where text == nil {
        let document =
          if let known, known.entry == entry { known.document } else {
            try await CommitLog(storage).document(of: entry)
          }
        commits.append((entry.instant, document))
        text = document.schema
      }
      text = text ?? properties.createSchema
      schema = try text.map { MetaColumns.removed(from: try AvroSchema.parse($0)) }
    } catch { throw TableError(error) }
    schemaName = RecentDecision.name(ofSchema: text)
    latestCommits = commits.reversed()
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

/// What a completed commit's file says, which never changes.
struct ReadCommit: Sendable {
  let entry: TimelineEntry
  let document: CommitDocument
}
