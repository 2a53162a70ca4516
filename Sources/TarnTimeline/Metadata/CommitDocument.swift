import TarnBytes

/// The content of a completed commit, of which only that is parsed which is asked for: a commit may have written tens of
/// thousands of files.
package struct CommitDocument: Sendable {
  private let bytes: [UInt8]
  /// Where the statistics of each partition's files lie.
  private var statistics: [(partition: String, range: Range<Int>)] = []
  /// Where the file groups lie that were replaced; nil where none were.
  private var replacements: Range<Int>?
  /// Texts under keys, as ``CommitMetadata/extra``.
  package private(set) var extra = OrderedMap<String>()

  /// Scans JSON metadata; no bytes at all mean a commit without files.
  ///
  /// - Throws: ``CommitMetadataError`` where it is not JSON, or not laid out as metadata is.
  package init(scanning bytes: [UInt8]) throws(CommitMetadataError) {
    self.bytes = bytes
    guard !bytes.isEmpty else { return }
    do {
      try scan()
    } catch let error as CommitMetadataError {
      throw error
    } catch {
      throw CommitMetadataError("it is not JSON: \(error)")
    }
  }

  private mutating func scan() throws {
    let bytes = bytes
    var scanner = JSONScanner(bytes.span.bytes)
    guard try scanner.peek() == .object else { throw CommitMetadataError("it is no JSON object") }
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if try scanner.peek() == .null {
        try scanner.readNull()
      } else if scanner.matches(key, "partitionToWriteStats") {
        statistics = []
        try scanner.beginObject()
        while let partition = try scanner.nextKey() {
          statistics.append((scanner.string(partition), try scanner.skipValue()))
        }
      } else if scanner.matches(key, "extraMetadata") {
        try scanner.beginObject()
        while let name = try scanner.nextKey() {
          if try scanner.peek() == .null {
            try scanner.readNull()
          } else {
            extra[scanner.string(name)] = scanner.string(try scanner.readString())
          }
        }
      } else if scanner.matches(key, "partitionToReplaceFileIds") {
        replacements = try scanner.skipValue()
      } else {
        try scanner.skipValue()
      }
    }
    guard scanner.isAtEnd() else { throw CommitMetadataError("it is not JSON: text follows it") }
  }

  /// Whether there is nothing in it.
  package var isBlank: Bool { bytes.isEmpty }

  /// The Avro schema of the rows; nil where there is none.
  package var schema: String? { extra[CommitMetadata.schemaKey].flatMap { $0.isEmpty ? nil : $0 } }

  /// The partitions in which files were written.
  package var partitions: [String] { statistics.map(\.partition) }

  /// The files that were written in some partitions.
  ///
  /// - Throws: ``CommitMetadataError``.
  package func files(
    where isWanted: (String) -> Bool
  ) throws(CommitMetadataError) -> [(partition: String, file: WriteStatistics)] {
    var files: [(partition: String, file: WriteStatistics)] = []
    for (partition, range) in statistics where isWanted(partition) {
      let member = JSONValue.Member(partition, try value(range))
      guard member.value != .null else { continue }
      for file in try member.array() { files.append((partition, try WriteStatistics(json: file))) }
    }
    return files
  }

  /// The file groups that were replaced in some partitions.
  ///
  /// - Throws: ``CommitMetadataError``.
  package func replaced(
    where isWanted: (String) -> Bool
  ) throws(CommitMetadataError) -> [(partition: String, groups: [String])] {
    guard let replacements else { return [] }
    let member = JSONValue.Member("partitionToReplaceFileIds", try value(replacements))
    var replaced: [(partition: String, groups: [String])] = []
    for partition in try member.object() where isWanted(partition.key) {
      var groups: [String] = []
      for group in try partition.array() { groups.append(try JSONValue.Member(partition.key, group).text()) }
      replaced.append((partition.key, groups))
    }
    return replaced
  }

  private func value(_ range: Range<Int>) throws(CommitMetadataError) -> JSONValue {
    var scanner = JSONScanner(bytes.span.bytes, at: range.lowerBound)
    do { return try JSONValue(scanning: &scanner) } catch {
      throw CommitMetadataError("it is not JSON: \(error.description)")
    }
  }
}
