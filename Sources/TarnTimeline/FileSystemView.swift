import TarnBytes
import TarnStorage

/// A base file as the storage lists it.
public struct BaseFile: Sendable, Hashable {
  /// The parts of its name.
  public let name: BaseFileName
  /// Its path relative to the table.
  public let path: String
  /// Its size in bytes.
  public let size: Int
  /// The tag of its content.
  public let tag: ObjectTag
}

/// The version of a file group that a query sees.
public struct FileSlice: Sendable, Hashable {
  /// The partition; empty where the table has none.
  public let partitionPath: String
  /// The base file.
  public let file: BaseFile

  /// The file group.
  public var fileID: String { file.name.fileID }
  /// The commit that wrote this version.
  public var instant: Instant { file.name.instant }
  /// The file's path relative to the table.
  public var path: String { file.path }
  /// The file's size in bytes.
  public var size: Int { file.size }
  /// The tag of the file's content.
  public var tag: ObjectTag { file.tag }
}

/// What lies in one partition's folder.
public struct PartitionFiles: Sendable, Hashable {
  /// The partition; empty where the table has none.
  public let path: String
  /// All base files, of every version and of attempts that failed too, by path.
  public let baseFiles: [BaseFile]
  /// Whether other engines can know the folder as a partition.
  public let hasMetadata: Bool
}

/// The files of a table: which there are, and which of them a query sees.
public struct FileSystemView: Sendable {
  /// The partitions that were listed, by path.
  public let partitions: [PartitionFiles]
  private let timeline: Timeline
  /// The first instant from which on a file group is hidden, by partition and file id.
  private let replacedFrom: [ExactText: [String: Instant]]

  /// Lists a table's partitions and their files.
  ///
  /// - Parameters:
  ///   - storage: The table's storage.
  ///   - properties: The table's properties.
  ///   - timeline: Its timeline; load it before, so that a commit's files are there when it is seen.
  ///   - only: The partitions to list, where they are known; nil walks the table for all.
  /// - Throws: ``TimelineError``: `unsupported` for a table with log records; `damaged` where a commit
  ///   cannot be read; `storage`.
  public static func load(
    from storage: any Storage, properties: TableProperties, timeline: Timeline, only: [String]? = nil
  ) async throws(TimelineError) -> FileSystemView {
    var lister = PartitionLister(storage: storage, type: properties.type)
    if let only {
      for path in Set(only.map(ExactText.init)) { try await lister.take(path.text) }
    } else if properties.partitionFields.isEmpty {
      try await lister.take("")
    } else {
      try await lister.walk()
    }
    return FileSystemView(
      partitions: lister.found.sorted { $0.path < $1.path }, timeline: timeline,
      replacedFrom: try await replacements(storage, timeline))
  }

  private static func replacements(
    _ storage: any Storage, _ timeline: Timeline
  ) async throws(TimelineError) -> [ExactText: [String: Instant]] {
    let log = CommitLog(storage)
    var result: [ExactText: [String: Instant]] = [:]
    for entry in timeline.completedCommits where entry.action.completed == .replacecommit {
      for (partition, groups) in try await log.metadata(of: entry).replaced?.pairs ?? [] {
        for group in groups where result[ExactText(partition)]?[group] == nil {
          result[ExactText(partition), default: [:]][group] = entry.instant
        }
      }
    }
    return result
  }

  /// The slices of a partition that a query sees, by file id.
  ///
  /// - Parameters:
  ///   - partition: One of ``partitions``.
  ///   - instant: The time of the query, inclusive; nil for now.
  public func slices(of partition: PartitionFiles, asOf instant: Instant? = nil) -> [FileSlice] {
    let replaced = replacedFrom[ExactText(partition.path)] ?? [:]
    var latest: [String: BaseFile] = [:]
    for file in partition.baseFiles where timeline.isVisible(file.name.instant, asOf: instant) {
      let id = file.name.fileID
      if let hidden = replaced[id], instant.map({ hidden <= $0 }) ?? true { continue }
      if let known = latest[id], known.name.instant > file.name.instant { continue }
      latest[id] = file
    }
    return latest.values.map { FileSlice(partitionPath: partition.path, file: $0) }
      .sorted { $0.fileID < $1.fileID }
  }

  /// The slices of every partition that was listed, by partition and file id.
  public func slices(asOf instant: Instant? = nil) -> [FileSlice] {
    partitions.flatMap { slices(of: $0, asOf: instant) }
  }

  /// The files of the partition of a path; nil where there is none, or it was not listed.
  public func partition(_ path: String) -> PartitionFiles? {
    partitions.first { ExactText($0.path) == ExactText(path) }
  }
}

/// Lists folders, and finds those that are partitions.
private struct PartitionLister {
  let storage: any Storage
  let type: TableType
  var found: [PartitionFiles] = []

  init(storage: any Storage, type: TableType) {
    self.storage = storage
    self.type = type
  }

  func list(_ folder: String) async throws(TimelineError) -> ListingPage {
    do { return try await storage.listAll(prefix: folder, stoppingAtSlash: true) } catch {
      throw TimelineError(error)
    }
  }

  /// Takes a folder as a partition, whether or not it is marked as one.
  mutating func take(_ path: String) async throws(TimelineError) {
    let folder = path.isEmpty ? "" : path + "/"
    try add(path, try await list(folder), folder)
  }

  /// Finds the folders that are marked as partitions; below one there is no other.
  ///
  /// Source: `FileSystemBackedTableMetadata`.
  mutating func walk() async throws(TimelineError) {
    var open = [""]
    while let folder = open.popLast() {
      let page = try await list(folder)
      let mark = folder + PartitionMetadata.fileName
      if page.objects.contains(where: { $0.path.hasPrefix(mark) }) {
        try add(String(folder.dropLast()), page, folder)
      } else {
        open += page.folders.filter { $0 != TablePaths.folder }
      }
    }
  }

  mutating func add(_ path: String, _ page: ListingPage, _ folder: String) throws(TimelineError) {
    var files: [BaseFile] = []
    var hasMetadata = false
    for object in page.objects {
      let name = object.path.dropFirst(folder.count)
      if let base = BaseFileName(name) {
        files.append(BaseFile(name: base, path: object.path, size: object.size, tag: object.tag))
      } else if name.hasPrefix(PartitionMetadata.fileName) {
        hasMetadata = true
      } else if type == .mergeOnRead, Self.isLog(name) {
        throw TimelineError(
          .unsupported, path: object.path,
          "this merge-on-read table has log records, which Tarn does not read yet; compact it with Spark first, "
            + "and clean it")
      }
    }
    found.append(PartitionFiles(path: path, baseFiles: files, hasMetadata: hasMetadata))
  }

  /// Whether a file holds log records: `.<file id>_<instant>.log.<n>_<token>`; change logs end in `.cdc`.
  static func isLog(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") && name.split(separator: ".").contains("log") && !HadoopChecksum.isChecksum(name)
      && !name.hasSuffix(".cdc")
  }
}
