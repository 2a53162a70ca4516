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
    var failures: [ServiceFailure] = []
    let action: Action = report.replacedFiles.isEmpty ? .commit : .replacecommit
    let own = TimelineEntry(instant, action, .completed)
    let timeline = Timeline(state.timeline.entries + [own])
    var count = timeline.entries.count
    do throws(TableError) {
      let cleaning = CleanService(recovery, options.retention, memory)
      if options.cleansAutomatically,
        try await cleaning.isDue(on: timeline, state.head?.head, state.properties)
      {
        let done = try await cleaning.run(tries: Self.tries, isAutomatic: true)
        report.cleanedFiles = done.files.count
        if done.instant != nil { count += 1 }
      }
    } catch { failures.append(ServiceFailure(service: .clean, error: error, commit: instant)) }
    do throws(TableError) {
      let archiving = ArchiveService(recovery)
      if archiving.isDue(of: count, options), memory.mayArchive(of: count) {
        let done = try await archiving.run(tries: Self.tries, isWhole: false)
        report.archivedActions = done.actions.count
        memory.note(foundToArchive: !done.actions.isEmpty, of: count)
      }
    } catch { failures.append(ServiceFailure(service: .archive, error: error, commit: instant)) }
    do throws(TableError) {
      if !report.crowdedPartitions.isEmpty, memory.mayPack() {
        let packing = try await pack(report.crowdedPartitions)
        report.packedFiles = packing.replaced
        report.warnings += packing.warnings
        memory.note(packed: report.packedFiles > 0)
      }
    } catch {
      memory.note(packed: false)
      failures.append(ServiceFailure(service: .cluster, error: error, commit: instant))
    }
    report.warnings += failures.flatMap { $0.warnings(telling: recovery.settings) }
    return report
  }
}
