import TarnStorage

/// An attempt that has an instant and nothing more: whoever makes it goes on with it, or withdraws it.
///
/// It stands on the timeline, so that no archive passes it; so it may be requested while it is found out what is to be
/// written. Hudi's writers leave a request alone whose sign of life is renewed.
package struct RequestedAttempt: Sendable {
  /// The names of its files on the timeline.
  package let files: InstantFiles
  /// Shows that its writer lives, and is to be renewed while it works.
  package let sign: any LifeSign
  let storage: any Storage
  /// The timeline as it was when the write began.
  let begun: Timeline

  /// How many instants are tried, each a millisecond after one that is taken.
  private static let mostInstants = 1_000
  /// How many of them may be given up since no answer came.
  static let mostDoubts = 5

  /// Begins an attempt: takes an instant, and writes its sign of life and its requested file.
  ///
  /// Whoever makes the sign and the requested file owns the instant; one that is there is another's. An attempt whose
  /// instant is less than one that has completed since takes another: files of a lesser one may come to be seen before
  /// they are committed, once the timeline begins after it.
  ///
  /// - Parameters:
  ///   - action: What it does.
  ///   - request: What its requested file says.
  ///   - mark: What its sign says.
  ///   - timeline: As it was when the write began.
  ///   - head: As it was then.
  ///   - now: The time in microseconds since 1970.
  ///   - storage: The table's storage.
  ///   - look: Looks, once the request stands, at what else must not have changed, beside the look at the timeline.
  /// - Throws: ``TimelineError``: `conflict` where no instant is free; `storage`.
  package static func begin(
    _ action: Action, saying request: [UInt8] = [], mark: String, after timeline: Timeline, _ head: Head,
    now: @Sendable () -> Int64, in storage: any Storage,
    beside look: @escaping @Sendable () async -> Void = {}
  ) async throws(TimelineError) -> RequestedAttempt {
    let liveness = Liveness(storage)
    let log = CommitLog(storage)
    var latest = [timeline.lastInstant, head.lastInstant].compactMap(\.self).max()
    var doubts = 0
    for _ in 0..<mostInstants {
      let instant = Instant.after(latest: latest, now: now())
      if let latest, instant <= latest { throw noInstant(after: latest, timeline) }
      latest = instant
      let found: (any LifeSign)?
      do throws(TimelineError) { found = try await liveness.begin(instant, mark: mark) } catch {
        // The sign may be this one's; another instant is free.
        doubts += 1
        guard error.isWithoutAnswer, doubts < mostDoubts else { throw error }
        continue
      }
      guard let sign = found else { continue }
      let files = InstantFiles(instant, action)
      do throws(StorageError) {
        guard try await log.request(instant, action, saying: request) else {
          await sign.end()
          continue
        }
      } catch {
        // Whoever made the file, another instant is free; but a storage that never answers is not asked without end.
        doubts += 1
        await sign.end()
        guard error.code == .unknown, doubts < mostDoubts else { throw TimelineError(error) }
        continue
      }
      let attempt = RequestedAttempt(files: files, sign: sign, storage: storage, begun: timeline)
      let seen: Timeline
      do throws(TimelineError) {
        async let looked: Void = look()
        seen = try await TimelineListing.load(from: storage, since: instant).timeline
        await looked
      } catch {
        await attempt.withdraw()
        throw error
      }
      guard let completed = seen.completedCommits.last?.instant, completed > instant else { return attempt }
      await attempt.withdraw()
      latest = seen.lastInstant ?? completed
    }
    throw TimelineError(.conflict, path: "", "no instant is free: other writers take each of them")
  }

  private static func noInstant(after latest: Instant, _ timeline: Timeline) -> TimelineError {
    TimelineError(
      .damaged, path: timeline.entries.last?.path ?? "",
      "after instant \(latest.text) there can be none; no engine makes such a file, so remove it (all files of that "
        + "instant) and try again")
  }

  /// Whether a rollback or restore names it that came since the write began.
  ///
  /// - Throws: ``TimelineError``: `storage`; `damaged` where a plan cannot be read.
  func isNamed() async throws(TimelineError) -> Bool {
    let timeline = try await TimelineListing.load(from: storage, since: begun.whereNewsBegin).timeline
    return try await RollbackNotices(timeline, in: storage).name(files.instant, since: begun)
  }

  /// Takes it off the timeline again: nothing was written, and nothing will be.
  package func withdraw() async {
    // Without its sign nobody would know whose the request is; so it goes last.
    try? await CommitLog(storage).remove(pending: files.requested)
    await sign.end()
  }

  /// Ends the sign of life where that is an object like any other, which is for the caller to delete.
  ///
  /// - Returns: Its path; nil where it must be ended by itself.
  func endedSign() -> String? { (sign as? Heartbeat)?.ended() }
}
