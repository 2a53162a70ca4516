import TarnStorage
import TarnTimeline

/// What a drop removed, or would remove.
public struct DropReport: Sendable, Hashable {
  /// The files, by their paths relative to the table.
  public internal(set) var files: [String] = []
  /// Their bytes.
  public internal(set) var bytes = 0
}

extension Table {
  /// Removes a table, with all that lies in its folder, and for good.
  ///
  /// First the table's properties say that it is dropped, in one step: from then on nobody reads or writes it, and none can
  /// be created in its place. Then everything goes, and the properties last. A drop that dies in between leaves no table, but
  /// a rest, which another drop removes.
  ///
  /// - Parameters:
  ///   - location: The table's place.
  ///   - settings: How this process works on it.
  ///   - force: Whether it is dropped though a writer is at work, whose rows are lost then, and who fails.
  ///   - isPlan: Whether it is only told what would go.
  /// - Returns: What was removed.
  /// - Throws: ``TableError``: `noTable` where there is neither a table nor the rest of one; `conflict` where a writer is at
  ///   work, or the properties change meanwhile; `storage` where something is still there: drop it again then.
  @discardableResult
  public static func drop(
    at location: TableLocation, settings: TableSettings = TableSettings(), force: Bool = false,
    isPlan: Bool = false
  ) async throws(TableError) -> DropReport {
    let storage = location.storage
    let isLeft = try await tableErrors { try await TableProperties.isDropped(in: storage) }
    var name = TableDefinition.name(from: location.lastComponent)
    if !isLeft {
      let table = try await Table.open(at: location, settings: settings)
      name = table.properties.name
      if !force, let attempt = try await table.livingAttempt() {
        throw TableError(
          .conflict,
          "\(attempt.path): a writer is at work on table \(table.properties.name): let it finish, or force the drop (--force)",
          path: attempt.path
        ).of(table.properties.name)
      }
    }
    let drop = TableDrop(storage: storage)
    return try await tableErrors {
      var planned = try await drop.files()
      planned.files.append(TablePaths.properties)
      if isPlan { return planned }
      let told = settings.following(storage, named: name)
      told.tell(
        .servicePlanned(ServiceWork(.drop, files: planned.files.count, bytes: planned.bytes)))
      let begun = told.now()
      if !isLeft { try await TableProperties.drop(in: storage) }
      let report = try await drop.run()
      let duration = Duration.microseconds(told.now() - begun)
      told.tell(
        .serviceRun(
          ServiceWork(.drop, files: report.files.count, bytes: report.bytes, duration: duration)))
      return report
    }
  }

  /// An attempt whose writer is known to live; nil where none is.
  private func livingAttempt() async throws(TableError) -> TimelineEntry? {
    let liveness = Liveness(storage)
    let mark = HeadStore(storage, random: settings.random).newMark()
    for attempt in try await attempts() {
      switch attempt.state {
      case .alive: return attempt.entry
      // Of another engine's writers only those that beat are known to live.
      case .foreign:
        let beats = try await tableErrors { try await liveness.beats(attempt.entry.instant, mark: mark) }
        if beats { return attempt.entry }
      default: continue
      }
    }
    return nil
  }
}

/// Removes what lies in a table's folder.
private struct TableDrop {
  let storage: any Storage

  /// All files, but for the table's properties.
  func files() async throws -> DropReport {
    var report = DropReport()
    var continuation: String?
    repeat {
      let page = try await page(continuation)
      report.add(page)
      continuation = page.continuation
    } while continuation != nil
    return report
  }

  /// Removes all of them, and the properties last.
  func run() async throws -> DropReport {
    var report = DropReport()
    // What is left of a page that was removed is on no page behind it, so that it is begun anew until there is none.
    for _ in 0..<Self.mostRounds {
      let found = try await files()
      guard !found.files.isEmpty else { break }
      for start in stride(from: 0, to: found.files.count, by: Self.filesAtOnce) {
        try await storage.deleteAll(Array(found.files[start...].prefix(Self.filesAtOnce)))
      }
      report.files += found.files
      report.bytes += found.bytes
    }
    try await storage.deleteAll([TablePaths.properties])
    report.files.append(TablePaths.properties)
    return report
  }

  /// A writer that was at work may put files while others go.
  private static let mostRounds = 3
  private static let filesAtOnce = 1_000

  private func page(_ continuation: String?) async throws -> ListingPage {
    try await storage.list(prefix: "", after: nil, stoppingAtSlash: false, continuation: continuation)
  }
}

extension DropReport {
  fileprivate mutating func add(_ page: ListingPage) {
    for object in page.objects where object.path != TablePaths.properties {
      files.append(object.path)
      bytes += object.size
    }
  }
}
