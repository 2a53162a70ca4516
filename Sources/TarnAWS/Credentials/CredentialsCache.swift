/// Keeps credentials, and has them renewed by one task for all who wait.
///
/// Some minutes before they expire they are renewed while they are still given out; only in the last minute does
/// everybody wait. Where renewing fails, the old ones are given out as long as they are good, and it is tried again
/// soon.
actor CredentialsCache {
  /// How long before their end they are renewed, at most.
  private static let early: Int64 = 300_000_000
  /// How long before their end they are not given out unless there are no others.
  private static let late: Int64 = 60_000_000
  /// How long after a failure it is not tried again, while the old ones are good.
  private static let pause: Int64 = 10_000_000

  private struct Waiter {
    let number: Int
    let continuation: CheckedContinuation<Result<AWSCredentials, AWSError>, Never>
  }

  private let search: CredentialsSearch
  private let world: AWSWorld
  private var current: AWSCredentials?
  /// How long before their end the current ones are renewed.
  private var window: Int64 = 0
  private var failedAt: Int64?
  private var isRenewing = false
  private var waiters: [Waiter] = []
  private var nextNumber = 0

  init(_ search: CredentialsSearch, _ world: AWSWorld) {
    self.search = search
    self.world = world
  }

  func credentials() async throws(AWSError) -> AWSCredentials {
    guard let current else { return try await renewed().get() }
    let now = world.now()
    guard let end = current.expiration, now >= end &- window else { return current }
    let hasJustFailed = failedAt.map { now &- $0 < Self.pause } ?? false
    if now < end &- min(window, Self.late) || now < end && hasJustFailed {
      if !hasJustFailed { renew() }
      return current
    }
    switch await renewed() {
    case .success(let fresh): return fresh
    case .failure(let error):
      guard world.now() < end, error.kind != .cancelled else { throw error }
      return current
    }
  }

  func credentials(replacing old: AWSCredentials) async throws(AWSError) -> AWSCredentials {
    if let current, current != old { return current }
    return try await renewed().get()
  }

  /// Waits for the renewal that is under way, or for a new one; not longer than the own task lives.
  private func renewed() async -> Result<AWSCredentials, AWSError> {
    let number = nextNumber
    nextNumber += 1
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard !Task.isCancelled else { return continuation.resume(returning: .failure(Self.cancelled)) }
        waiters.append(Waiter(number: number, continuation: continuation))
        renew()
      }
    } onCancel: {
      Task { await self.leave(number) }
    }
  }

  private static let cancelled = AWSError(.cancelled, "credentials", "cancelled")

  private func leave(_ number: Int) {
    guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
    waiters.remove(at: index).continuation.resume(returning: .failure(Self.cancelled))
  }

  /// Begins to renew, unless that is under way.
  ///
  /// Whoever waits may be cancelled, so it is a task of its own.
  private func renew() {
    guard !isRenewing else { return }
    isRenewing = true
    Task { await self.finish(Self.load(search)) }
  }

  private static func load(_ search: CredentialsSearch) async -> Result<AWSCredentials, AWSError> {
    do throws(AWSError) {
      return .success(try await search.load())
    } catch {
      return .failure(error)
    }
  }

  private func finish(_ result: Result<AWSCredentials, AWSError>) {
    isRenewing = false
    switch result {
    case .success(let fresh):
      current = fresh
      failedAt = nil
      let life = fresh.expiration.map { max(0, $0 &- world.now()) } ?? 0
      window = min(Self.early, life / 4)
    case .failure: failedAt = world.now()
    }
    let waiting = waiters
    waiters.removeAll()
    for waiter in waiting { waiter.continuation.resume(returning: result) }
  }
}
