import TarnBytes
import TarnStorage

/// Lists folders, many at once, and finds those that are partitions.
struct PartitionLister: Sendable {
  let storage: any Storage
  let type: TableType

  func list(_ folder: String) async throws(TimelineError) -> ListingPage {
    do { return try await storage.listAll(prefix: folder, stoppingAtSlash: true) } catch {
      throw TimelineError(error)
    }
  }

  /// Takes folders as partitions, whether or not they are marked so.
  func partitions(at paths: [String]) async throws(TimelineError) -> [PartitionFiles] {
    let folders = paths.map { (path: $0, folder: $0.isEmpty ? "" : $0 + "/") }
    let pages = try await lists(of: folders.map(\.folder))
    var found: [PartitionFiles] = []
    for (entry, page) in zip(folders, pages) {
      found.append(try partition(at: entry.path, page, entry.folder))
    }
    return found
  }

  /// Finds the folders that are marked as partitions; below one there is no other.
  ///
  /// Source: `FileSystemBackedTableMetadata`.
  func walk(where isWanted: @Sendable (String) -> Bool) async throws(TimelineError) -> [PartitionFiles] {
    var found: [PartitionFiles] = []
    var level = [""]
    while !level.isEmpty {
      var next: [String] = []
      for (folder, page) in zip(level, try await lists(of: level)) {
        if isPartition(page, folder) {
          found.append(try partition(at: String(folder.dropLast()), page, folder))
        } else {
          next += subfolders(page).filter { isWanted(String($0.dropLast())) }
        }
      }
      level = next
    }
    return found
  }

  private func lists(of folders: [String]) async throws(TimelineError) -> [ListingPage] {
    if folders.count == 1 { return [try await list(folders[0])] }
    do {
      return try await concurrently(folders, width: storage.costs.requestsAtOnce) { try await list($0) }
    } catch let error as TimelineError { throw error } catch { throw .cancelled }
  }

  /// Whether a folder is marked as a partition.
  func isPartition(_ page: ListingPage, _ folder: String) -> Bool {
    let mark = folder + PartitionMetadata.fileName
    return page.objects.contains { $0.path.hasPrefix(mark) }
  }

  /// The folders in which there may be partitions.
  func subfolders(_ page: ListingPage) -> [String] { page.folders.filter { $0 != TablePaths.folder } }

  /// What lies in a partition's folder.
  func partition(
    at path: String, _ page: ListingPage, _ folder: String
  ) throws(TimelineError) -> PartitionFiles {
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
    return PartitionFiles(path: path, baseFiles: files, hasMetadata: hasMetadata)
  }

  /// Whether a file holds log records: `.<file id>_<instant>.log.<n>_<token>`; change logs end in `.cdc`.
  static func isLog(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") && name.split(separator: ".").contains("log") && !HadoopChecksum.isChecksum(name)
      && !name.hasSuffix(".cdc")
  }
}
