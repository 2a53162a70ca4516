import TarnFileGroups
import TarnStorage
import TarnTimeline

extension Table {
  /// Runs a write, and begins it again where it lost against another.
  func run<Write: TableWrite>(_ write: Write) async throws(TableError) -> CommitReport {
    let begun = settings.now()
    do throws(TableError) {
      try options.check()
      let traffic = StorageTraffic()
      var (report, table) = try await StorageTraffic.$present.withValue(traffic) {
        await result { () async throws(TableError) in try await tries(of: write) }
      }.get()
      let counts = traffic.counts
      (report.requests, report.bytesSent, report.bytesReceived) = (
        counts.requests, counts.sent, counts.received
      )
      report.duration = .microseconds(settings.now() - begun)
      guard let table, report.instant != nil else { return report }
      emit(.committed(report))
      return await tidying(behind: report, on: table)
    } catch { throw error.of(properties.name) }
  }

  /// What came of a write, and the table as it found it; nil where another of the same version stood before.
  private typealias Written = (report: CommitReport, table: PresentTable?)

  private func result(
    _ body: () async throws(TableError) -> Written
  ) async -> Result<Written, TableError> {
    do throws(TableError) { return .success(try await body()) } catch { return .failure(error) }
  }

  private func tries<Write: TableWrite>(of write: Write) async throws(TableError) -> Written {
    // All waits of the write together last no longer than its patience.
    var storage = storage.waiting(atMost: settings.patience)
    if settings.areFilesCopied { storage = KeptReads(storage, limit: settings.memory / 4) }
    // A write reads many small parts of few files.
    let files = storage.keepOpen()
    defer { withExtendedLifetime(files) {} }
    let recovery = Recovery(
      storage: storage, settings: settings, base: location.base, opening: opening)
    let reader = BaseFileReader(storage, footers, warn: settings.warn)
    let attempt = WriteTry(
      write: write, options: options, decision: AttemptDecision(queue: commits, recovery: recovery),
      owners: owners)
    try await check(write, reader)
    try await createWhereNeeded()
    var tickets = Tickets(recovery)
    do throws(TableError) {
      let written = try await tries(of: write, attempt, recovery, reader, &tickets)
      await tickets.end()
      return written
    } catch {
      await tickets.end()
      throw error
    }
  }

  /// How often a write that has no try left begins again since it lost against a clustering.
  private static let mostSpared = 3

  private func tries<Write: TableWrite>(
    of write: Write, _ attempt: WriteTry<Write>, _ recovery: Recovery, _ reader: BaseFileReader,
    _ tickets: inout Tickets
  ) async throws(TableError) -> Written {
    var known: Write.Prepared?
    var tries = 0
    var looks = 1
    var spared = 0
    while true {
      // Whoever lost often asks to go first.
      if tries > 0 && tries >= settings.retries / 3 { await tickets.take() }
      let ending: WriteTry<Write>.Ending
      var found: PresentTable?
      // What came since the table was opened is no other writer's being faster.
      let isOfOpening = recovery.standsOnOpening
      do throws(TableError) {
        let state = try await recovery.run(heeding: &tickets)
        let table = PresentTable(state: state, settings: settings, reader: reader)
        found = table
        async let tidied: Void = recovery.tidy(beside: state.timeline)
        ending = try await attempt.run(
          on: table, after: known, number: tries + 1, isOfOpening: isOfOpening)
        await tidied
      } catch {
        guard looks < PresentTable.mostLooks, write.canBeginAgain,
          await recovery.hasMovedOn(since: error, from: found?.state.timeline)
        else { throw error }
        looks += 1
        continue
      }
      switch ending {
      case .done(let report): return (report, found)
      case .repeated(let version): return (try await report(of: version, recovery.storage), nil)
      case .again(let newer): known = newer
      case .lost(_, let newer) where isOfOpening && write.canBeginAgain: known = newer
      case .lost(let error, let newer):
        emit(.attemptLost(reason: error.description))
        guard write.canBeginAgain else { throw error.after(tries) }
        if tries >= settings.retries {
          // A clustering that came by itself fails nobody.
          guard spared < Self.mostSpared, let base = found?.state.timeline,
            await recovery.hasClustered(since: base)
          else { throw error.after(tries) }
          spared += 1
        }
        known = newer
        tries += 1
        try await pause(before: tries)
        emit(.writeBegunAgain(number: tries))
      }
    }
  }

  /// Waits for a random time, so that those who met once do not meet again.
  private func pause(before number: Int) async throws(TableError) {
    let most = Swift.min(4 << Swift.min(number, 6), 256)
    let part = settings.random() % UInt64(most * 1_000)
    do { try await Task.sleep(for: .microseconds(part)) } catch { throw TableError(error) }
  }

  /// The report of a commit that stands already.
  private func report(
    of version: ApplicationVersion, _ storage: any Storage
  ) async throws(TableError) -> CommitReport {
    for files in InstantFiles.ofAnyCommit(version.instant) {
      do throws(TimelineError) {
        return CommitReport(try await CommitLog(storage).metadata(of: files.completed), version.instant)
      } catch {
        guard error.storageError?.code == .notFound else { throw TableError(error) }
      }
    }
    // It was archived since.
    do throws(TimelineError) {
      let archive = try await ArchivedTimeline.load(from: storage, folder: properties.archiveFolder)
      if let metadata = try await archive.commit(version.instant)?.metadata() {
        return CommitReport(metadata, version.instant)
      }
    } catch {
      // That it stands is known; what it did is not.
      settings.warn(
        "commit \(version.instant.text) stands, and its report cannot be read: \(error.description)")
    }
    var report = CommitReport()
    report.instant = version.instant
    return report
  }
}

extension TableError {
  /// The same error of a write that began again in vain.
  fileprivate func after(_ tries: Int) -> TableError {
    tries == 0 ? self : with(code, "\(message) (it began again \(tries) \(tries == 1 ? "time" : "times"))")
  }
}
