import TarnBytes
import TarnFileGroups
import TarnParquet
import TarnStorage
import TarnTimeline

/// Compares data files with what commits say of them.
struct FileCheck: Sendable {
  let timeline: Timeline
  let view: FileSystemView
  let survey: CommitSurvey
  let reader: BaseFileReader

  /// Latest slices whose files can be opened, with their rows, by partition.
  struct Readable: Sendable {
    let partition: String
    var slices: [FileSlice] = []
    var rows = 0
  }

  /// Instants of files that are older than the timeline, and must have been archived.
  var archivedInstants: Set<Instant> {
    var found: Set<Instant> = []
    for partition in view.partitions {
      for file in partition.baseFiles where isArchived(file.name.instant) { found.insert(file.name.instant) }
    }
    return found
  }

  private func isArchived(_ instant: Instant) -> Bool {
    timeline.isVisible(instant) && !timeline.contains(instant)
  }

  /// Looks for files of commits that do not stand.
  func orphans(_ archive: ArchiveSurvey) -> [CheckFinding] {
    let pending = Set(timeline.pending.map(\.instant))
    var findings: [CheckFinding] = []
    for file in view.partitions.flatMap(\.baseFiles) {
      let instant = file.name.instant
      func find(_ message: String) { findings.append(CheckFinding(.orphan, file.path, message)) }
      if timeline.contains(instant) {
        if !survey.names(file.path, of: instant) {
          find("commit \(instant.text) does not name this file, which readers take for its")
        }
      } else if pending.contains(instant) {
        continue
      } else if isArchived(instant) {
        guard archive.isWhole, !archive.found.contains(instant) else { continue }
        find(
          "no commit \(instant.text) is on the timeline or archived, and readers take this file for committed"
        )
      } else {
        find(
          "no commit \(instant.text) is on the timeline: nobody reads this file, until the timeline begins after it"
        )
      }
    }
    return findings
  }

  /// Opens the latest slices, and compares them with what was written.
  func slices(width: Int) async throws -> (findings: [CheckFinding], readable: [Readable]) {
    var findings: [CheckFinding] = []
    var readable: [Readable] = []
    var seen: Set<ExactText> = []
    for partition in view.partitions {
      seen.insert(ExactText(partition.path))
      let slices = view.slices(of: partition)
      var expected = survey.latest[ExactText(partition.path)] ?? [:]
      var good = Readable(partition: partition.path)
      let looks = try await concurrently(slices, width: width) { try await open($0) }
      for (slice, look) in zip(slices, looks) {
        var named = expected.removeValue(forKey: slice.fileID)
        if let file = named, !ExactText(file.path).isSame(as: slice.path) {
          findings.append(try await gone(file, isInPartition: true))
          named = nil
        }
        switch look {
        case .damaged(let message): findings.append(CheckFinding(.damaged, slice.path, message))
        case .rows(let rows):
          good.slices.append(slice)
          good.rows += rows
          if let named { findings += differences(slice, rows, named) }
        }
      }
      for file in expected.values { findings.append(try await gone(file, isInPartition: true)) }
      readable.append(good)
    }
    for (partition, files) in survey.latest where !seen.contains(partition) {
      for file in files.values { findings.append(try await gone(file, isInPartition: false)) }
    }
    return (findings, readable)
  }

  private enum Look: Sendable {
    case rows(Int)
    case damaged(String)
  }

  private func open(_ slice: FileSlice) async throws -> Look {
    do throws(FileGroupError) { return .rows(try await reader.open(slice).rowCount) } catch {
      switch error.code {
      case .storage, .cancelled: throw error
      default: return .damaged("it cannot be opened: \(error.message)")
      }
    }
  }

  private func differences(
    _ slice: FileSlice, _ rows: Int, _ named: CommitSurvey.NamedFile
  ) -> [CheckFinding] {
    var findings: [CheckFinding] = []
    if Int64(rows) != named.rows {
      findings.append(
        CheckFinding(
          .damaged, slice.path, "it holds \(rows) rows, and commit \(named.instant.text) says \(named.rows)"))
    }
    if named.size > 0, Int64(slice.size) != named.size {
      findings.append(
        CheckFinding(
          .damaged, slice.path,
          "it has \(slice.size) bytes, and commit \(named.instant.text) says \(named.size)"))
    }
    return findings
  }

  private func gone(
    _ file: CommitSurvey.NamedFile, isInPartition: Bool
  ) async throws(TimelineError) -> CheckFinding {
    let isThere: Bool
    do { isThere = try await reader.storage.exists(file.path) } catch { throw TimelineError(error) }
    let commit = "commit \(file.instant.text) wrote this file"
    if !isThere { return CheckFinding(.gone, file.path, "\(commit), and it is gone: its rows are lost") }
    let why =
      isInPartition
      ? "another file of its file group stands in its place" : "its folder is not marked as a partition"
    return CheckFinding(.gone, file.path, "\(commit), and readers do not see it: \(why)")
  }
}

extension ExactText {
  fileprivate func isSame(as other: String) -> Bool { self == ExactText(other) }
}
