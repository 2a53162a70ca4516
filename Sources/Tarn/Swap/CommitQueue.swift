import Synchronization
import TarnBytes
import TarnStorage
import TarnTimeline

/// Decides the commits of a process, those that wait at the same time by one swap of the table's head.
///
/// One task at a time leads: it takes all that wait, checks them against what was decided since each began and against
/// each other, and swaps. What was decided is then carried out in its order, while the next are decided already.
final class CommitQueue: Sendable {
  private struct Waiting {
    let candidate: CommitCandidate
    let leftovers: Leftovers
    let store: HeadStore
    let storage: any Storage
    let continuation: CheckedContinuation<CommitAnswer, Never>
    /// Keeps answers back; nil where they are given at once.
    var held: HeldAnswers?

    func answer(_ answer: CommitAnswer) {
      guard let held else { return continuation.resume(returning: answer) }
      held.add { continuation.resume(returning: answer) }
    }
  }

  /// Answers that are given once the lock of other engines is let go: whoever has one may end its process.
  private final class HeldAnswers: Sendable {
    private let answers = Mutex<[@Sendable () -> Void]>([])

    func add(_ answer: @escaping @Sendable () -> Void) { answers.withLock { $0.append(answer) } }

    func give() {
      let all = answers.withLock { answers in
        defer { answers = [] }
        return answers
      }
      for answer in all { answer() }
    }
  }

  private struct State {
    var waiting: [Waiting] = []
    var isLed = false
    /// The head as this process last swapped it.
    var newest: LoadedHead?
    /// Carries out what was decided last.
    var carrying: Task<Void, Never>?
  }

  private let state = Mutex(State())

  /// How many commits one swap decides at most.
  private static let mostAtOnce = 8

  /// Decides a commit, and carries it out.
  ///
  /// It goes to its end also where the task is cancelled, since what others wait for goes with it.
  ///
  /// - Parameters:
  ///   - leftovers: Takes the paths of contents that were written in vain.
  ///   - store: Where the table's head lies.
  ///   - storage: The table's storage.
  func decide(
    _ candidate: CommitCandidate, leaving leftovers: Leftovers, at store: HeadStore, in storage: any Storage
  ) async -> CommitAnswer {
    await withCheckedContinuation { continuation in
      let waiting = Waiting(
        candidate: candidate, leftovers: leftovers, store: store, storage: storage,
        continuation: continuation)
      let leads = state.withLock { state in
        state.waiting.append(waiting)
        defer { state.isLed = true }
        return !state.isLed
      }
      if leads { Task { await lead() } }
    }
  }

  private func lead() async {
    while let batch = next() { await settle(batch) }
  }

  /// Those that wait, as many as one swap takes; nil where none do, and nobody leads then.
  private func next() -> [Waiting]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isLed = false
        return nil
      }
      let batch = Array(state.waiting.prefix(Self.mostAtOnce))
      state.waiting.removeFirst(batch.count)
      return batch
    }
  }

  /// Answers all of some commits, while the lock of other engines is held where these have one.
  private func settle(_ batch: [Waiting]) async {
    guard let locking = batch.lazy.compactMap(\.candidate.base.locking).first else {
      return await settle(batch, holding: nil)
    }
    let held = HeldAnswers()
    let waiting = batch.map { one in
      var one = one
      one.held = held
      return one
    }
    do throws(TimelineError) {
      try await locking.holding { lock in
        await self.settle(waiting, holding: lock)
        // Until their completed files stand.
        await self.state.withLock { $0.carrying }?.value
      }
    } catch {
      for one in batch { one.answer(.refused(TableError(error))) }
    }
    held.give()
  }

  private func settle(_ batch: [Waiting], holding lock: HudiLock?) async {
    guard let first = batch.first else { return }
    var open = batch
    let store = first.store.holding(lock)
    var head = newest(of: batch)
    while !open.isEmpty {
      let draft = HeadDraft(on: head.head, open.map(\.candidate))
      for (waiting, answer) in zip(open, draft.answers) { if let answer { waiting.answer(answer) } }
      // Those that only another of this batch stands in the way of are judged again behind it.
      let later = zip(open, draft.isTaken).enumerated().filter {
        draft.answers[$0.offset] == nil && !$0.element.1
      }
      .map { open[$0.offset] }
      let taken = draft.taken.map { open[$0] }
      guard !taken.isEmpty else { return }
      let written = await draft.write(taken.map(\.candidate), store, in: first.storage)
      switch written {
      case .failed(let error, let contents):
        for waiting in taken { waiting.leftovers.add(contents) }
        for waiting in taken { waiting.answer(.refused(error)) }
        open = later
      case .some(let answers, let contents):
        // What changes who is decided changes every position behind it.
        for waiting in taken { waiting.leftovers.add(contents) }
        for (waiting, answer) in zip(taken, answers) { if let answer { waiting.answer(answer) } }
        open = zip(taken, answers).filter { $0.1 == nil }.map(\.0) + later
      case .ready(let next, let named, let listing, let contents):
        let outcome = await store.swap(next, on: head.tag, deciding: named.map(\.instant))
        switch outcome {
        case .won(let new):
          state.withLock { $0.newest = new }
          let moved = Set(named.flatMap(\.contents))
          taken.first?.leftovers.add(contents.filter { !moved.contains($0) })
          carry(taken, named, before: next.named.filter { !named.contains($0) }, listing, holding: lock)
          head = new
          open = later
        case .refused:
          for waiting in taken { waiting.leftovers.add(contents) }
          open = taken + later
          guard let new = await reloaded(store, open) else { return }
          head = new
        case .failed(let error):
          for waiting in taken { waiting.leftovers.add(contents) }
          for waiting in taken { waiting.answer(.refused(TableError(error))) }
          open = later
        case .unknown(let error):
          state.withLock { $0.newest = nil }
          for waiting in taken + later { waiting.answer(.unknown(error)) }
          return
        }
      }
    }
  }

  /// The newest head that is known; an old one is only refused.
  private func newest(of batch: [Waiting]) -> LoadedHead {
    let known = state.withLock { $0.newest }
    let bases = batch.map(\.candidate.base.head)
    let latest = bases.dropFirst().reduce(bases[0]) { $1.head.sequence > $0.head.sequence ? $1 : $0 }
    guard let known, known.head.epoch == latest.head.epoch, known.head.sequence >= latest.head.sequence else {
      return latest
    }
    return known
  }

  /// The head after a refusal; nil where everybody was told that there is none.
  private func reloaded(_ store: HeadStore, _ open: [Waiting]) async -> LoadedHead? {
    do throws(TimelineError) {
      if case .head(let head) = try await store.load() {
        state.withLock { $0.newest = head }
        return head
      }
      // Whoever looks again makes one.
      for waiting in open { waiting.answer(.look) }
    } catch {
      for waiting in open { waiting.answer(.refused(TableError(error))) }
    }
    state.withLock { $0.newest = nil }
    return nil
  }

  /// Carries out what was decided, behind what was decided before.
  private func carry(
    _ taken: [Waiting], _ named: [NamedDecision], before: [NamedDecision], _ listing: TimelineListing,
    holding lock: HudiLock?
  ) {
    guard let storage = taken.first?.storage else { return }
    let previous = state.withLock { $0.carrying }
    let task = Task {
      await previous?.value
      let carriage = CommitCarriage(storage, holding: lock)
      let answers = await carriage.carryOut(
        zip(taken, named).map { ($0.candidate, $1) }, before: before, listing
      ) { await taken[$0].leftovers.tidy(with: named[$0].contents) }
      for (waiting, answer) in zip(taken, answers) { waiting.answer(answer) }
    }
    state.withLock { $0.carrying = task }
  }
}
