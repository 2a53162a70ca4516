import TarnTimeline

/// Does behind a commit what keeps a table in order: a clean, an archive, and a clustering of small files, each where it is
/// due.
///
/// Whether one is due is told by what the commit and the process know already, so that nothing is asked for a commit behind
/// which there is nothing to do.
struct AutomaticServices: Sendable {
  let recovery: Recovery
  let memory: ServiceMemory

  /// How often one is planned anew where other writers are faster: they find the same to do.
  private static let tries = 2

  /// Clusters the small files of partitions, and tells what was done.
  typealias Packing = ([String]) async throws(TableError) -> CommitReport

  /// Runs what is due.
  ///
  /// - Parameters:
  ///   - report: What is told of the commit.
  ///   - state: The table as the commit found it.
  ///   - pack: Clusters small files.
  /// - Returns: The same report, with what was done; a service that fails is a warning, and the commit stands.
  func run(
    behind report: CommitReport, on state: TableState, packing pack: Packing
  ) async -> CommitReport {
    guard recovery.settings.runsServices, let instant = report.instant, !Task.isCancelled,
      let options = try? TarnOptions(state.properties)
    else { return report }
    if let partitions = report.rewrittenPartitions { memory.note(instant, rewriting: partitions) }
    var report = report
    let action: Action = report.replacedFiles.isEmpty ? .commit : .replacecommit
    let own = TimelineEntry(instant, action, .completed)
    let timeline = Timeline(state.timeline.entries + [own])
    var count = timeline.entries.count
    do throws(TableError) {
      let cleaning = CleanService(recovery, options.retention, memory)
      if options.cleansAutomatically, try await cleaning.isDue(on: timeline, state.properties) {
        let done = try await cleaning.run(tries: Self.tries, isAutomatic: true)
        report.cleanedFiles = done.files.count
        if done.instant != nil { count += 1 }
      }
    } catch { report.warnings += warnings(of: .clean, error, behind: instant) }
    do throws(TableError) {
      let archiving = ArchiveService(recovery)
      if archiving.isDue(of: count, options), memory.mayArchive(of: count) {
        let done = try await archiving.run(tries: Self.tries, isWhole: false)
        report.archivedActions = done.actions.count
        memory.note(foundToArchive: !done.actions.isEmpty, of: count)
      }
    } catch { report.warnings += warnings(of: .archive, error, behind: instant) }
    guard !report.crowdedPartitions.isEmpty, memory.mayPack() else { return report }
    do throws(TableError) {
      report.packedFiles = try await pack(report.crowdedPartitions).replaced
      memory.note(packed: report.packedFiles > 0)
    } catch {
      memory.note(packed: false)
      report.warnings += warnings(of: .cluster, error, behind: instant)
    }
    return report
  }

  /// What is warned of where a service fails; nothing where others were faster, who do it.
  private func warnings(
    of service: ServiceWork.Service, _ error: TableError, behind instant: Instant
  ) -> [CommitWarning] {
    guard error.code != .conflict, error.code != .cancelled else { return [] }
    recovery.settings.tell(.serviceFailed(service, reason: error.message))
    return [
      CommitWarning(
        .serviceFailed,
        "commit \(instant.text) stands; the \(service.rawValue) behind it failed (\(error.message)), and is tried again behind "
          + "a later one")
    ]
  }
}
