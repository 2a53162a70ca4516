import TarnBytes
import TarnStorage

/// A head as it was read, with the tag on which the next one replaces it.
package struct LoadedHead: Sendable {
  /// What it says.
  package let head: Head
  /// The tag of what the next one replaces; nil where nothing is at its path.
  package let tag: ObjectTag?

  /// Pairs a head with a tag.
  package init(_ head: Head, _ tag: ObjectTag?) {
    self.head = head
    self.tag = tag
  }
}

/// What is at a head's path.
package enum FoundHead: Sendable {
  /// A head.
  case head(LoadedHead)
  /// Nothing: no writer of Tarn's has been there, or the head is lost.
  case none
  /// Bytes that are no head.
  case damaged(String, ObjectTag)
}

/// What became of a swap.
package enum SwapOutcome: Sendable {
  /// It took place.
  case won(LoadedHead)
  /// It did not, and cannot any more: another was faster.
  case refused
  /// It did not, and cannot any more: the storage failed, or the swap was given up.
  case failed(TimelineError)
  /// It may have taken place, or may yet.
  case unknown(TimelineError)
}

/// Reads and swaps a table's head.
package struct HeadStore: Sendable {
  /// The head's path.
  package static let path = TablePaths.folder + "tarn/head"
  /// How often a storage that gives no answer is asked again.
  private static let mostAnswers = 6

  private let storage: any Storage
  /// How long is waited in all for an answer.
  private let patience: Duration
  /// Makes the marks of heads.
  private let random: @Sendable () -> UInt64
  /// What must be held where something is decided; nil for nothing.
  package private(set) var lock: HudiLock?

  /// Names a table's head.
  ///
  /// - Parameters:
  ///   - patience: How long is waited for a storage that gives no answer.
  ///   - random: Draws random numbers.
  package init(
    _ storage: any Storage, patience: Duration = .zero, random: @escaping @Sendable () -> UInt64
  ) {
    self.storage = storage
    self.patience = patience
    self.random = random
  }

  /// The same head, swapped only while a lock is held.
  package func holding(_ lock: HudiLock?) -> HeadStore {
    var store = self
    store.lock = lock
    return store
  }

  /// A new mark.
  package func newMark() -> String { hexadecimal() + hexadecimal() }

  /// The first head of a new epoch.
  ///
  /// - Parameter known: What is known without a sequence.
  package func newHead(sequence: Int64, known: KnownCommits = KnownCommits()) -> Head {
    var head = Head(epoch: hexadecimal(), sequence: sequence, mark: newMark(), known: known)
    head.findings = storage.findings()
    return head
  }

  private func hexadecimal() -> String {
    let digits = String(random(), radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  /// Reads the head.
  ///
  /// - Throws: ``TimelineError``: `unsupported` for a head that a later build wrote; `storage`.
  package func load() async throws(TimelineError) -> FoundHead {
    let object: StoredObject
    do { object = try await storage.get(Self.path, limit: 64 << 20) } catch {
      if error.code == .notFound { return .none }
      throw TimelineError(error)
    }
    do throws(HeadError) {
      let head = try Head(parsing: object.bytes)
      if let findings = head.findings { storage.adopt(findings) }
      return .head(LoadedHead(head, object.tag))
    } catch {
      switch error {
      case .damaged(let what): return .damaged(what, object.tag)
      case .later(let format):
        throw TimelineError(
          .unsupported, path: Self.path,
          "its format is \(format), and this build of Tarn knows \(Head.format): write this table with a later build"
        )
      }
    }
  }

  /// Reads the head as a reader does, to whom one of a later build counts as none: the timeline tells all that can be read.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func look() async throws(TimelineError) -> FoundHead {
    do throws(TimelineError) { return try await load() } catch {
      guard error.code == .unsupported else { throw error }
      return .none
    }
  }

  /// Replaces the head, if it is still the one of the tag.
  ///
  /// It goes to its end also where the task is cancelled: whether a swap took place must be known.
  ///
  /// - Parameters:
  ///   - next: The next head, with a mark of its own.
  ///   - tag: The tag of the one before; nil where there was none.
  ///   - instants: The instants of what it decides; it is known by them where other decisions have followed.
  package func swap(_ next: Head, on tag: ObjectTag?, deciding instants: [Instant]) async -> SwapOutcome {
    await Task { await settled(next, on: tag, deciding: instants) }.value
  }

  private func settled(_ head: Head, on tag: ObjectTag?, deciding instants: [Instant]) async -> SwapOutcome {
    var next = head
    next.findings = storage.findings() ?? head.findings
    let bytes = next.bytes
    let condition = tag.map { PutCondition.ifMatches($0) } ?? .ifAbsent
    var doubt: StorageError
    do throws(StorageError) {
      try lock?.check()
      return .won(LoadedHead(next, try await storage.put(bytes, at: Self.path, if: condition)))
    } catch {
      switch error.code {
      case .preconditionFailed: return .refused
      case .unknown: doubt = error
      // Of any other error the contract says that nothing has changed, nor will.
      default: return .failed(TimelineError(error))
      }
    }
    for attempt in 0..<Self.mostAnswers {
      if attempt > 0 { try? await Task.sleep(for: patience / (1 << (Self.mostAnswers - attempt))) }
      switch await standing(of: next, on: tag, deciding: instants) {
      case .decided(let head): return .won(head)
      case .overtaken: return .refused
      case .unanswered(let error):
        doubt = error
        continue
      case .mayArrive: break
      }
      // The same bytes on the same tag: whichever of the two puts arrives, it is the same decision.
      do throws(StorageError) {
        try lock?.check()
        return .won(LoadedHead(next, try await storage.put(bytes, at: Self.path, if: condition)))
      } catch {
        // A storage's own word that it was not this put is no word about the one before.
        doubt = error.code == .preconditionFailed ? doubt : error
      }
    }
    return await givenUp(next, on: tag, deciding: instants, doubt)
  }

  /// Makes a swap impossible that may still arrive, by changing the tag on which it goes.
  private func givenUp(
    _ next: Head, on tag: ObjectTag?, deciding instants: [Instant], _ doubt: StorageError
  ) async -> SwapOutcome {
    let unknown = SwapOutcome.unknown(
      TimelineError(
        .outcomeUnknown, path: Self.path,
        "the storage gave no answer when this was decided (\(doubt.message))", cause: doubt))
    guard let tag, case .head(let present)? = try? await load(), present.tag == tag else {
      switch await standing(of: next, on: tag, deciding: instants) {
      case .decided(let head): return .won(head)
      case .overtaken: return .refused
      case .mayArrive, .unanswered: return unknown
      }
    }
    do {
      let nothing = present.head.next(mark: newMark())
      _ = try await storage.put(nothing.bytes, at: Self.path, if: .ifMatches(tag))
      return .failed(TimelineError(doubt))
    } catch {
      switch await standing(of: next, on: tag, deciding: instants) {
      case .decided(let head): return .won(head)
      case .overtaken: return .refused
      case .mayArrive, .unanswered: return unknown
      }
    }
  }

  private enum Standing {
    case decided(LoadedHead)
    /// Another head is there, so that the swap cannot arrive any more.
    case overtaken
    case mayArrive
    case unanswered(StorageError)
  }

  private func standing(
    of next: Head, on tag: ObjectTag?, deciding instants: [Instant]
  ) async -> Standing {
    let found: FoundHead
    do throws(TimelineError) { found = try await load() } catch {
      return .unanswered(
        error.storageError ?? StorageError(.failed, path: Self.path, error.message, cause: error))
    }
    switch found {
    case .head(let present):
      if present.head.mark == next.mark { return .decided(present) }
      if let first = instants.first, present.head.hasDecided(first) { return .decided(present) }
      if present.tag == tag { return .mayArrive }
      return await isCompleted(instants) ?? .overtaken
    case .none: return tag == nil ? .mayArrive : .overtaken
    case .damaged(_, let present): return present == tag ? .mayArrive : .overtaken
    }
  }

  /// Looks whether what was decided stands on the timeline, since a head forgets; nil where it does not.
  private func isCompleted(_ instants: [Instant]) async -> Standing? {
    guard let first = instants.first else { return nil }
    do {
      var isDone = try await storage.hasAnyCommit(first) { $0.completed }
      for service in [Action.rollback, .clean, .restore] where !isDone {
        isDone = try await storage.exists(TimelineEntry(first, service, .completed).path)
      }
      if !isDone {
        let isUnderWay = try await storage.hasAnyCommit(first) { $0.inflight }
        guard !isUnderWay, try await ArchivedTimeline.has(first, in: storage) else { return nil }
      }
      guard case .head(let present) = try await load() else { return nil }
      return .decided(present)
    } catch {
      return .unanswered(
        error as? StorageError ?? StorageError(.failed, path: Self.path, "\(error)", cause: error))
    }
  }
}
