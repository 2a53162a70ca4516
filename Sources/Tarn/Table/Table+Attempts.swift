import TarnStorage
import TarnTimeline

extension Table {
  /// What is under way on the table, or was left there by writers that died, of all engines.
  ///
  /// - Throws: ``TableError`` where the table cannot be read.
  public func attempts() async throws(TableError) -> [PendingAttempt] {
    let heads = HeadStore(storage, random: settings.random)
    do throws(TimelineError) {
      var head: Head?
      do throws(TimelineError) {
        if case .head(let loaded) = try await heads.load() { head = loaded.head }
      } catch {
        // What a later build decided, the timeline tells in time.
        guard error.code == .unsupported else { throw error }
      }
      let look = AttemptLook(storage, heads)
      var found: [PendingAttempt] = []
      for entry in try await Timeline.load(from: storage).pending {
        guard let written = try await modified(entry), let state = try await look.state(of: entry, head)
        else { continue }
        let age = Swift.max(settings.now() - written, 0)
        found.append(PendingAttempt(entry: entry, state: state, age: .microseconds(age)))
      }
      return found
    } catch { throw TableError(error).of(properties.name) }
  }

  /// When an entry's file was written; nil where it is gone.
  private func modified(_ entry: TimelineEntry) async throws(TimelineError) -> Int64? {
    do { return try await storage.info(of: entry.path).modified } catch {
      guard error.code == .notFound else { throw TimelineError(error) }
      return nil
    }
  }

  /// Rolls an attempt back: its files are removed, and a writer that goes on after all finds out, and begins again.
  ///
  /// The attempt may be any engine's, and a doubtful one. It is a decision as each commit is one: an attempt that was
  /// decided meanwhile stays. A rollback stands on the timeline, which every engine reads.
  ///
  /// - Parameters:
  ///   - instant: The attempt's instant.
  ///   - force: Whether it is rolled back though its writer lives. Of another engine's writers Tarn knows only those that
  ///     keep a heartbeat.
  /// - Throws: ``TableError``: `mismatch` where there is no such attempt, `unsupported` for a completed commit, `conflict`
  ///   where its writer lives, or it was decided.
  public func rollBack(_ instant: Instant, force: Bool = false) async throws(TableError) {
    do { try await AttemptRollback(recovery).run(instant, force: force) } catch {
      throw error.of(properties.name)
    }
  }

  /// Rolls back all attempts of Tarn's writers that died, as the next write would do; doubtful ones stay.
  ///
  /// - Returns: Their instants.
  /// - Throws: ``TableError`` where the table cannot be written.
  @discardableResult
  public func rollBackDeadAttempts() async throws(TableError) -> [Instant] {
    do { return try await AttemptRollback(recovery).runDead() } catch { throw error.of(properties.name) }
  }

  /// What ``rollBack(_:force:)`` or, without an instant, ``rollBackDeadAttempts()`` would remove; nothing is changed.
  ///
  /// - Parameters:
  ///   - instant: The attempt's instant; nil for all attempts of Tarn's writers that died.
  ///   - force: Whether it would be rolled back though its writer lives.
  /// - Throws: ``TableError``, as the rollback itself.
  public func rollbackPlan(
    of instant: Instant? = nil, force: Bool = false
  ) async throws(TableError) -> [AttemptRemoval] {
    do { return try await AttemptRollback(recovery).plan(instant, force: force) } catch {
      throw error.of(properties.name)
    }
  }

  var recovery: Recovery {
    Recovery(storage: storage.waiting(atMost: settings.patience), settings: settings, base: location.base)
  }
}
