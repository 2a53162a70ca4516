import TarnBytes

/// What kind of write a commit was; names that Tarn does not know are kept.
public struct OperationType: RawRepresentable, Sendable, Hashable {
  /// Hudi's name.
  public let rawValue: String

  /// Wraps a name of Hudi's `WriteOperationType`.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// New rows and new versions of rows.
  public static let upsert = OperationType(rawValue: "UPSERT")
  /// Rows that are not looked up.
  public static let insert = OperationType(rawValue: "INSERT")
  /// Rows that are not looked up, into new files.
  public static let bulkInsert = OperationType(rawValue: "BULK_INSERT")
  /// Rows leave the table.
  public static let delete = OperationType(rawValue: "DELETE")
  /// Partitions are replaced.
  public static let insertOverwrite = OperationType(rawValue: "INSERT_OVERWRITE")
  /// The table's rows are replaced.
  public static let insertOverwriteTable = OperationType(rawValue: "INSERT_OVERWRITE_TABLE")
  /// Partitions leave the table.
  public static let deletePartition = OperationType(rawValue: "DELETE_PARTITION")
  /// Files are rewritten for better order.
  public static let cluster = OperationType(rawValue: "CLUSTER")
  /// Logs are taken into files.
  public static let compact = OperationType(rawValue: "COMPACT")
}

/// Why text is no commit metadata; ``CommitLog`` names the file too.
public struct CommitMetadataError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, for people.
  public let message: String

  init(_ message: String) { self.message = message }

  /// What is wrong.
  public var description: String { message }
}

/// What a commit did: the files it wrote, the ones it replaced, the schema of its rows.
///
/// Source: `HoodieCommitMetadata` and `HoodieReplaceCommitMetadata`, as JSON of table version 6.
public struct CommitMetadata: Sendable, Hashable {
  /// The files written, by partition path.
  public var partitions: OrderedMap<[WriteStatistics]>
  /// Whether a compaction wrote them.
  public var isCompacted = false
  /// Texts under keys: the Avro schema under `schema`, and what writers add.
  public var extra: OrderedMap<String>
  /// The kind of write; nil where the metadata does not say.
  public var operation: OperationType?
  /// File groups hidden from this instant on, by partition path; nil for commits that replace nothing.
  public var replaced: OrderedMap<[String]>?

  /// The key in ``extra`` of the Avro schema.
  package static let schemaKey = "schema"
  /// The key in ``extra`` by which an inflight commit is known as Tarn's own.
  package static let writerKey = "tarn.writer"
  /// The key in ``extra`` of what the writer reports, by which a completed commit is known as Tarn's own.
  package static let reportKey = "tarn.report"
  /// The key in ``extra`` of the table's position with the commit.
  package static let positionKey = "tarn.position"
  /// The key in ``extra`` of other engines' commits that the commit took into the sequence of decisions.
  package static let takenInKey = "tarn.takenIn"

  /// Makes metadata.
  package init(
    partitions: OrderedMap<[WriteStatistics]> = [:], operation: OperationType?,
    extra: OrderedMap<String> = [:], replaced: OrderedMap<[String]>? = nil
  ) {
    self.partitions = partitions
    self.operation = operation
    self.extra = extra
    self.replaced = replaced
  }

  /// The Avro schema of the rows; nil where there is none.
  public var schema: String? {
    get { extra[Self.schemaKey].flatMap { $0.isEmpty ? nil : $0 } }
    set { extra[Self.schemaKey] = newValue }
  }

  /// Which of Tarn's writers began it; nil for the commits of others.
  public var writer: String? {
    get { extra[Self.writerKey] }
    set { extra[Self.writerKey] = newValue }
  }

  /// Other engines' commits that the commit took into the sequence of decisions, which do not say their sequences.
  package var takenIn: [(sequence: Int64, instant: Instant)] {
    get { extra[Self.takenInKey].map(Self.takenIn) ?? [] }
    set {
      extra[Self.takenInKey] = newValue.map { "\($0.sequence) \($0.instant)" }.joined(separator: ",")
    }
  }

  /// Reads the text under ``takenInKey``; parts that make no sense are passed over.
  package static func takenIn(_ text: String) -> [(sequence: Int64, instant: Instant)] {
    text.split(separator: ",").compactMap { part in
      let words = part.split(separator: " ")
      guard words.count == 2, let sequence = Int64(words[0]), let instant = Instant(words[1]) else {
        return nil
      }
      return (sequence, instant)
    }
  }

  /// The statistics of all files.
  public var files: [WriteStatistics] { partitions.pairs.flatMap(\.value) }

  /// Adds the statistics of a file.
  package mutating func append(_ statistics: WriteStatistics, partition: String) {
    partitions[partition, default: []].append(statistics)
  }
}

extension CommitMetadata {
  /// The metadata as JSON, laid out and ordered as Hudi 0.15 writes it.
  package func bytes() -> [UInt8] {
    var members: [JSONValue.Member] = [
      .init(
        "partitionToWriteStats",
        .object(partitions.pairs.map { .init($0.key, .array($0.value.map(\.json))) })),
      .init("compacted", .boolean(isCompacted)),
      .init("extraMetadata", .object(extra.pairs.map { .init($0.key, .string($0.value)) })),
      .init("operationType", .text(operation?.rawValue)),
    ]
    if let replaced {
      let groups = replaced.pairs.map {
        JSONValue.Member($0.key, .array($0.value.map { .string($0) }))
      }
      members.append(.init("partitionToReplaceFileIds", .object(groups)))
    }
    return JSONValue.object(members).bytes(.jackson)
  }

  /// Parses JSON metadata; no bytes at all mean a commit without files.
  ///
  /// Unknown members are passed over, and missing ones and nulls mean nothing.
  ///
  /// - Throws: ``CommitMetadataError``.
  public init(parsing bytes: [UInt8]) throws(CommitMetadataError) {
    self.init(operation: nil)
    if bytes.isEmpty { return }
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw CommitMetadataError("it is not JSON: \(error.description)")
    }
    guard let members = json.members else { throw CommitMetadataError("it is no JSON object") }
    for member in members where member.value != .null {
      switch member.key {
      case "partitionToWriteStats":
        for partition in try member.object() {
          var files: [WriteStatistics] = []
          for file in try partition.array() { files.append(try WriteStatistics(json: file)) }
          partitions[partition.key] = files
        }
      case "compacted": isCompacted = member.value.boolean ?? false
      case "extraMetadata":
        for entry in try member.object() where entry.value != .null {
          extra[entry.key] = try entry.text()
        }
      case "operationType": operation = OperationType(rawValue: try member.text())
      case "partitionToReplaceFileIds":
        var groups = OrderedMap<[String]>()
        for partition in try member.object() {
          groups[partition.key] = try partition.array().map { element throws(CommitMetadataError) in
            try JSONValue.Member(member.key, element).text()
          }
        }
        replaced = groups
      default: break
      }
    }
  }
}

extension JSONValue {
  static func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

  var int64: Int64? {
    if case .number(let text) = self { Int64(text) } else { nil }
  }
}

extension JSONValue.Member {
  func text() throws(CommitMetadataError) -> String {
    guard let text = value.string else { throw CommitMetadataError("\(key) is no text") }
    return text
  }

  func count() throws(CommitMetadataError) -> Int64 {
    guard let number = value.int64 else { throw CommitMetadataError("\(key) is no whole number of 64 bits") }
    return number
  }

  func object() throws(CommitMetadataError) -> [JSONValue.Member] {
    guard let members = value.members else { throw CommitMetadataError("\(key) is no object") }
    return members
  }

  func array() throws(CommitMetadataError) -> [JSONValue] {
    guard let elements = value.elements else { throw CommitMetadataError("\(key) is no array") }
    return elements
  }
}
