import TarnBytes
import TarnStorage

/// Makes a head for a table that has none: one that no writer of Tarn's has written, or whose head is lost or damaged.
package struct HeadRebuild: Sendable {
  private let storage: any Storage
  private let store: HeadStore
  private let archiveFolder: String
  private let warn: @Sendable (String) -> Void

  /// Works on a table.
  ///
  /// - Parameters:
  ///   - archiveFolder: Where the table's properties say that its archive lies.
  ///   - warn: Told of what the head lacks.
  package init(
    _ storage: any Storage, _ store: HeadStore, archiveFolder: String,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.storage = storage
    self.store = store
    self.archiveFolder = archiveFolder
    self.warn = warn
  }

  /// The head of a new epoch, as the timeline tells it, and of applications also its archive.
  ///
  /// Attempts whose contents lie beside the timeline may have been decided by a head that was lost; they are left to
  /// their writers.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func head(_ listing: TimelineListing) async throws(TimelineError) -> Head {
    // What was archived before belongs to no epoch.
    let begin = KnownCommits(before: listing.timeline.entries.first?.instant)
    var head = store.newHead(sequence: 0, known: begin)
    let log = CommitLog(storage)
    let read: [CommitDocument?]
    do {
      read = try await concurrently(
        listing.timeline.completedCommits, width: storage.costs.requestsAtOnce
      ) { entry -> CommitDocument? in
        // One that cannot be read tells nothing.
        do throws(TimelineError) { return try await log.document(of: entry) } catch {
          guard error.code == .storage else { return nil }
          throw error
        }
      }
    } catch let error as TimelineError { throw error } catch { throw TimelineError.cancelled }
    if !listing.timeline.entries.isEmpty { try await noteArchivedVersions(&head) }
    for (entry, document) in zip(listing.timeline.completedCommits, read) {
      head.note(transactionOf: document?.extra, entry.instant)
      head.append(RecentDecision(sequence: head.sequence + 1, entry.instant, document))
    }
    head.note(listing.timeline)
    let pending = Set(listing.timeline.pending.map(\.instant))
    head.doubtful = Set(listing.contents.map(\.instant)).intersection(pending).sorted()
    return head
  }

  /// The head of a new epoch where another engine took commits back, of which the present head tells.
  ///
  /// What is left of the present one stays, and its order; how far applications had come without those commits, timeline
  /// and archive tell.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func head(
    after present: Head, without undone: Set<Instant>, _ listing: TimelineListing
  ) async throws(TimelineError) -> Head {
    var applications = present.applications.filter { !undone.contains($0.instant) }
    if applications.count < present.applications.count {
      let told = try await head(listing).applications
      applications += told.filter { one in !applications.contains { $0.application == one.application } }
    }
    return present.begun(
      anew: store.newHead(sequence: 0), without: undone, applications: applications)
  }

  /// How often an archive is read whose files another engine merges meanwhile.
  private static let mostReadings = 3

  /// Takes from the archive how far applications had come; in memory is one entry at a time.
  private func noteArchivedVersions(_ head: inout Head) async throws(TimelineError) {
    for number in 1...Self.mostReadings {
      do throws(TimelineError) {
        var entries = try await ArchivedTimeline.load(from: storage, folder: archiveFolder).entries()
        while let archived = try await entries.next(where: { $0.state == .completed && $0.action.writesData })
        {
          head.note(transactionOf: try archived.metadata()?.extra, archived.entry.instant)
        }
        return
      } catch {
        switch error.code {
        case .damaged, .unsupported:
          warn(
            "\(error.description): the archive cannot be read, so that transactions in archived commits are not known: do "
              + "not ask again for versions that are that old")
          return
        default:
          guard error.storageError?.code == .notFound, number < Self.mostReadings else { throw error }
        }
      }
    }
  }
}

extension Head {
  /// Notes the version of an application that a commit carries, where it is the greatest so far.
  fileprivate mutating func note(transactionOf extra: OrderedMap<String>?, _ instant: Instant) {
    guard let text = extra?[ApplicationVersion.key], let version = ApplicationVersion(text: text, instant),
      self.version(of: version.application).map({ $0.version < version.version }) ?? true
    else { return }
    _ = note(version)
  }
}

extension RecentDecision {
  /// A commit that was not decided by the head, as its completed file tells it; nil where that cannot be read.
  package init(sequence: Int64, _ instant: Instant, _ document: CommitDocument?) {
    let files = (try? document?.files { _ in true })?.compactMap(\.file.path)
    let replaced = (try? document?.replaced { _ in true })?.flatMap(\.groups)
    self.init(
      sequence: sequence, instant, files: document?.isBlank == false ? files : nil, replaced: replaced ?? [],
      keepsDeletions: true, schema: Self.name(ofSchema: document?.schema), isForeign: true)
  }
}

extension ApplicationVersion {
  /// The key of a commit's extra metadata.
  package static let key = "tarn.transaction"

  /// The text that a commit carries: the version, and the application's name.
  package var text: String { "\(version) \(application)" }

  /// Reads the text that a commit carries; nil where it makes no sense.
  package init?(text: String, _ instant: Instant) {
    guard let space = text.utf8.firstIndex(of: UInt8(ascii: " ")), let version = Int64(text[..<space]) else {
      return nil
    }
    self.init(String(text[text.utf8.index(after: space)...]), version, instant)
  }
}
