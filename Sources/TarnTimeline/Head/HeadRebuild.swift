import TarnBytes
import TarnStorage

/// Makes a head for a table that has none: one that no writer of Tarn's has written, or whose head is lost or damaged.
package struct HeadRebuild: Sendable {
  private let storage: any Storage
  private let store: HeadStore

  /// Works on a table.
  package init(_ storage: any Storage, _ store: HeadStore) {
    self.storage = storage
    self.store = store
  }

  /// The head of a new epoch, as the timeline tells it.
  ///
  /// Attempts whose contents lie beside the timeline may have been decided by a head that was lost; they are left to
  /// their writers.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func head(_ listing: TimelineListing) async throws(TimelineError) -> Head {
    var head = store.newHead(sequence: 0)
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
    for (entry, document) in zip(listing.timeline.completedCommits, read) {
      let transaction = document?.extra[ApplicationVersion.key].flatMap {
        ApplicationVersion(text: $0, entry.instant)
      }
      if let transaction,
        head.version(of: transaction.application).map({ $0.version < transaction.version }) ?? true
      {
        _ = head.note(transaction)
      }
      head.append(RecentDecision(sequence: head.sequence + 1, entry.instant, document))
    }
    head.note(listing.timeline)
    let pending = Set(listing.timeline.pending.map(\.instant))
    head.doubtful = Set(listing.contents.map(\.instant)).intersection(pending).sorted()
    return head
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
