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
  ///   - isWanted: Whether a folder is looked into, by its path, when the table is walked; nil for all.
  /// - Throws: ``TimelineError``: `unsupported` for a table with log records; `damaged` where a commit
  ///   cannot be read; `storage`.
  public static func load(
    from storage: any Storage, properties: TableProperties, timeline: Timeline, only: [String]? = nil,
    where isWanted: (@Sendable (String) -> Bool)? = nil
  ) async throws(TimelineError) -> FileSystemView {
    let lister = PartitionLister(storage: storage, type: properties.type)
    let found: [PartitionFiles]
    if let only {
      found = try await lister.partitions(at: Set(only.map(ExactText.init)).map(\.text))
    } else if properties.partitionFields.isEmpty {
      found = try await lister.partitions(at: [""])
    } else {
      found = try await lister.walk(where: isWanted ?? { _ in true })
    }
    return FileSystemView(
      partitions: found.sorted { $0.path < $1.path }, timeline: timeline,
      replacedFrom: try await replacements(storage, timeline))
  }

  /// The same files without some, by their paths relative to the table.
  package func without(_ paths: Set<ExactText>) -> FileSystemView {
    let left = partitions.map { partition in
      PartitionFiles(
        path: partition.path, baseFiles: partition.baseFiles.filter { !paths.contains(ExactText($0.path)) },
        hasMetadata: partition.hasMetadata)
    }
    return FileSystemView(partitions: left, timeline: timeline, replacedFrom: replacedFrom)
  }

  /// A slice of the table that a query sees, whichever is found first; nil where there is none.
  ///
  /// - Throws: As ``load(from:properties:timeline:only:where:)``.
  package static func anySlice(
    from storage: any Storage, properties: TableProperties, timeline: Timeline, asOf instant: Instant? = nil
  ) async throws(TimelineError) -> FileSlice? {
    let lister = PartitionLister(storage: storage, type: properties.type)
    let replaced = try await replacements(storage, timeline)
    var folders = [""]
    while let folder = folders.popLast() {
      let page = try await lister.list(folder)
      guard properties.partitionFields.isEmpty || lister.isPartition(page, folder) else {
        folders += lister.subfolders(page).reversed()
        continue
      }
      let partition = try lister.partition(at: String(folder.dropLast()), page, folder)
      let view = FileSystemView(partitions: [partition], timeline: timeline, replacedFrom: replaced)
      if let slice = view.slices(asOf: instant).first { return slice }
    }
    return nil
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

  /// The versions of each file group of a partition that belong to the table, the latest first, and from when on the group
  /// is hidden, where it was replaced.
  ///
  /// - Parameter partition: One of ``partitions``.
  package func versions(of partition: PartitionFiles) -> [(files: [BaseFile], replaced: Instant?)] {
    let replaced = replacedFrom[ExactText(partition.path)] ?? [:]
    let groups = Dictionary(
      grouping: partition.baseFiles.filter { timeline.isVisible($0.name.instant) }, by: \.name.fileID)
    return groups.sorted { $0.key < $1.key }.map { id, files in
      (files.sorted { $0.name.instant > $1.name.instant }, replaced[id])
    }
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
