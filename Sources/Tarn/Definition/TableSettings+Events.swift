import Synchronization

extension TableSettings {
  /// Settings that warn once of what is the same but for numbers, as in one batch after the other.
  func warningOnce(_ said: SaidWarnings) -> TableSettings {
    var settings = self
    settings.observer = observer.map { WarningsOnce(next: $0, said: said) }
    return settings
  }
}

/// What was warned of.
final class SaidWarnings: Sendable {
  private let texts = Mutex<Set<String>>([])

  /// Whether nothing was warned of yet that is the same but for numbers.
  func isNew(_ text: String) -> Bool {
    texts.withLock { $0.insert(String(text.filter { !$0.isNumber })).inserted }
  }
}

/// Passes on what comes, but of warnings that are the same but for numbers the first.
private struct WarningsOnce: TableObserver {
  let next: any TableObserver
  let said: SaidWarnings

  func observe(_ event: TableEvent, of table: String) {
    if case .warning(let text) = event.kind, !said.isNew(text) { return }
    next.observe(event, of: table)
  }
}

/// How far work is that is done in parts.
final class WorkCounter: Sendable {
  private let settings: TableSettings
  private let work: WorkProgress.Work
  private let total: Int
  private let unit: String
  private let done = Mutex(0)

  init(settings: TableSettings, work: WorkProgress.Work, total: Int, unit: String) {
    self.settings = settings
    self.work = work
    self.total = total
    self.unit = unit
  }

  /// Parts are done; told one after the other, so that the numbers rise.
  func advance(by count: Int = 1) {
    done.withLock { done in
      done += count
      settings.tell(.progress(WorkProgress(work, done, of: total, unit)))
    }
  }
}
