import TarnStorage
import TarnTimeline

/// Keeps with the table what its readers declared that they need, so that no clean or archive of Tarn's goes past it.
///
/// It stands in the head: a clean is decided on the head on which it was planned, so that each either sees a declaration, or
/// was decided before it, and is carried out before it is found that nothing is missing.
struct ReaderService: Sendable {
  private let recovery: Recovery

  init(_ recovery: Recovery) { self.recovery = recovery }

  /// How often it is tried anew where other writers were faster.
  private static let mostTries = 20
  /// The most bytes of a name.
  private static let mostBytes = 200

  /// What a reader goes on from.
  enum Start: Sendable {
    case instant(Instant)
    case position(TablePosition)
  }

  /// Declares what a reader needs, in place of what it declared before.
  ///
  /// - Parameter duration: How long it holds; nil for as long as it is not released.
  func retain(
    _ start: Start, for name: String, _ duration: Duration?
  ) async throws(TableError) -> RetainedReader {
    guard !name.isEmpty, name.utf8.count <= Self.mostBytes else {
      throw TableError(.mismatch, "a reader's name has 1 to \(Self.mostBytes) bytes")
    }
    if let duration, duration <= .zero {
      throw TableError(.mismatch, "reader \(name): what it needs is kept for more than no time")
    }
    let properties = try await recovery.writableProperties()
    for _ in 0..<Self.mostTries {
      let decided = try await recovery.decided(properties)
      let timeline = decided.listing.timeline
      let instant = try await instant(of: start, decided, properties)
      let now = recovery.settings.now()
      let expiry = duration.map { now.addingReportingOverflow(Self.microseconds($0)) }
      let reader = RetainedReader(
        name, from: instant, expiry: expiry.flatMap { $0.overflow ? nil : $0.partialValue })
      try await check(reader, properties, timeline)
      if try await PendingCleans(recovery).finishFirst(of: decided).wasThere { continue }
      guard try await store(name, reader, on: decided.head, now) else { continue }
      return reader
    }
    throw Recovery.overtaken
  }

  /// Lets what a reader needs go.
  ///
  /// - Returns: Whether it had declared anything that held.
  func release(_ name: String) async throws(TableError) -> Bool {
    let properties = try await recovery.writableProperties()
    for _ in 0..<Self.mostTries {
      let head = try await recovery.decided(properties).head
      let now = recovery.settings.now()
      guard let known = head.head.readers.first(where: { $0.name == name }) else { return false }
      guard try await store(name, nil, on: head, now) else { continue }
      return !known.hasExpired(at: now)
    }
    throw Recovery.overtaken
  }

  /// The readers whose declarations hold, by their names; nothing is changed.
  func readers() async throws(TableError) -> [RetainedReader] {
    let now = recovery.settings.now()
    do throws(TimelineError) {
      guard case .head(let loaded) = try await recovery.heads.look() else { return [] }
      return loaded.head.readers.filter { !$0.hasExpired(at: now) }.sorted { $0.name < $1.name }
    } catch { throw TableError(error) }
  }

  /// The earliest instant that is needed from a start on.
  private func instant(
    of start: Start, _ decided: DecidedTable, _ properties: TableProperties
  ) async throws(TableError) -> Instant {
    let (head, timeline) = (decided.head.head, decided.listing.timeline)
    let position: TablePosition
    switch start {
    case .instant(let instant): return instant
    case .position(let given): position = given
    }
    let sequence = CommitSequence(
      head, timeline, in: recovery.storage, archiveFolder: properties.archiveFolder)
    let later: [Int64: Instant]?
    do throws(TimelineError) { later = try await sequence.commits(after: position) } catch {
      throw TableError(error)
    }
    guard let later else {
      throw TableError(
        .positionLost,
        "position \(position): the table does not tell what came since, so that nothing is kept for who goes on from it"
      )
    }
    // Instants need not be in the order of the decisions.
    guard let instant = later.values.min() ?? timeline.latest?.instant else {
      throw TableError(.mismatch, "the table has no completed commit yet, so that there is nothing to keep")
    }
    return instant
  }

  /// Checks that what a reader needs is there.
  private func check(
    _ reader: RetainedReader, _ properties: TableProperties, _ timeline: Timeline
  ) async throws(TableError) {
    guard timeline.completedCommits.contains(where: { $0.instant <= reader.instant }) else {
      throw TableError(
        .mismatch,
        "reader \(reader.name): no commit of instant \(reader.instant.text) or before is on the timeline, which begins with "
          + "\(timeline.first?.instant.text ?? "nothing"): what is older is not kept")
    }
    try await tableErrors {
      let view = try await PendingCleans(recovery).view(properties, timeline)
      let removed = RemovedVersions(properties, timeline, recovery.storage)
      let gone = try await removed.missing(asOf: reader.instant, in: view, isExact: true) { _ in true }
      if let gone {
        throw removed.refusal(reader.instant, gone, "keeping the table for reader \(reader.name)")
      }
    }
  }

  /// Stores a declaration.
  ///
  /// - Returns: False where another writer was faster, or it is not known whether it is stored.
  private func store(
    _ name: String, _ reader: RetainedReader?, on head: LoadedHead, _ now: Int64
  ) async throws(TableError) -> Bool {
    var next = head.head.next(mark: recovery.heads.newMark())
    guard next.note(name, reader, at: now) else {
      throw TableError(
        .mismatch,
        "\(Head.mostReaders) readers have declared what they need, and there can be no more: release one (tarn show lists "
          + "them), or give declarations an end")
    }
    switch await recovery.heads.swap(next, on: head.tag, deciding: []) {
    case .won: return true
    // Done again it is the same.
    case .refused, .unknown: return false
    case .failed(let error): throw TableError(error)
    }
  }

  private static func microseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : whole.addingReportingOverflow(attoseconds / 1_000_000_000_000).partialValue
  }
}
