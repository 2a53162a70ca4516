import TarnStorage
import TarnTimeline

/// Which commits a follower of a table has not seen.
struct Changes: Sendable {
  /// The commits.
  let commits: CommitSelection
  /// Where the follower goes on; nil where that is not known.
  let position: TablePosition?
}

/// Finds out what a follower has not seen.
struct ChangeSearch: Sendable {
  private let settled: SettledTimeline
  private let properties: TableProperties
  private let storage: any Storage

  init(_ settled: SettledTimeline, _ properties: TableProperties, in storage: any Storage) {
    self.settled = settled
    self.properties = properties
    self.storage = storage
  }

  private func sequence(_ head: Head) -> CommitSequence {
    CommitSequence(head, settled.timeline, in: storage, archiveFolder: properties.archiveFolder)
  }

  /// What was decided after a position; nil for one that begins to follow.
  func changes(since start: TablePosition?) async throws(TableError) -> Changes? {
    guard let head = settled.head, let end = settled.position else {
      if start == nil, settled.timeline.completedCommits.isEmpty { return nil }
      throw TableError(
        start == nil ? .unsupported : .positionLost,
        "table \(properties.name) has no \(HeadStore.path), which tells the order of its commits: it gets one with the "
          + "next write of Tarn's; until then follow it by instants")
    }
    let present = try await self.present(end, head)
    guard let start else {
      let beyond = try await found(head, after: end)
      return Changes(
        commits: .until(DecidedCommits(head, beyond ?? [:], through: end.sequence)),
        position: present.position)
    }
    guard let later = try await found(head, after: start), !present.isUndone(start) else {
      throw lost(start, head)
    }
    // What is decided appears in its order; somebody may have a position that has not come yet.
    let last = present.position ?? end
    let next = last.sequence < start.sequence ? start : last
    return Changes(commits: .decided(DecidedCommits(head, later, through: next.sequence)), position: next)
  }

  /// What was decided after the commit of an instant, or came after an instant that is none of a decision.
  func changes(since start: Instant, through end: Instant?) async throws(TableError) -> Changes {
    var position = end == nil ? settled.position : nil
    if let head = settled.head, let last = position { position = try await present(last, head).position }
    guard let head = settled.head, let begin = try await self.position(of: start, head),
      let later = try await found(head, after: begin)
    else { return Changes(commits: .after(start, through: end), position: position) }
    let commits = DecidedCommits(head, later, through: head.sequence)
    return Changes(commits: .later(commits, through: end), position: position)
  }

  /// How far a table has come on which another engine took commits back, until the next decision begins an epoch.
  private struct Present {
    /// The position behind which nothing stands that is before it; nil where there is none such.
    let position: TablePosition?
    /// The first decision that does not stand any more; nil where all do.
    let firstUndone: Int64?

    /// Whether who was at a position has met what does not stand any more, or cannot go on from there.
    func isUndone(_ start: TablePosition) -> Bool {
      guard let firstUndone else { return false }
      return position == nil || start.sequence >= firstUndone
    }
  }

  private func present(_ end: TablePosition, _ head: Head) async throws(TableError) -> Present {
    let undone: UndoneCommits
    do throws(TimelineError) {
      undone = try await UndoneCommits(head, settled.timeline, in: storage)
    } catch { throw TableError(error) }
    guard let first = undone.decisions.first?.sequence else {
      return Present(position: end, firstUndone: nil)
    }
    // Mostly they are the last ones; who goes on before them misses nothing then, and meets nothing again.
    let isEnd = head.sequence - first + 1 == Int64(undone.decisions.count)
    let position = isEnd ? TablePosition(epoch: end.epoch, sequence: min(end.sequence, first - 1)) : nil
    return Present(position: position, firstUndone: first)
  }

  private func position(of instant: Instant, _ head: Head) async throws(TableError) -> TablePosition? {
    do throws(TimelineError) { return try await sequence(head).position(of: instant) } catch {
      throw TableError(error)
    }
  }

  private func found(_ head: Head, after position: TablePosition) async throws(TableError) -> [Int64:
    Instant]?
  {
    do throws(TimelineError) { return try await sequence(head).commits(after: position) } catch {
      throw TableError(error)
    }
  }

  private func lost(_ position: TablePosition, _ head: Head) -> TableError {
    let why =
      if position.epoch != head.epoch {
        "is of an epoch that has ended, since commits were taken back or the table's head was lost"
      } else if position.sequence > head.sequence {
        "lies beyond \(head.position), to which the table has come: it was set back"
      } else {
        "lies too far back, so that the table does not tell any more which commits came since, or another engine took back "
          + "a commit that lies before it"
      }
    return TableError(
      .positionLost,
      "position \(position) of table \(properties.name) \(why): begin again with all rows, and follow from the position "
        + "that comes with them")
  }
}
