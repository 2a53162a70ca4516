import TarnFileGroups
import TarnStorage
import TarnTimeline

extension Table {
  /// Runs a write under the table's lock.
  func write(
    _ body: (WriteTransaction) async throws(TableError) -> CommitReport
  ) async throws(TableError) -> CommitReport {
    let begun = settings.now()
    // All waits of the write together last no longer than its patience.
    let storage = storage.waiting(atMost: settings.lockPatience)
    let lock: any StorageLock
    do {
      lock = try await location.lockProvider(of: storage).lock(
        TablePaths.writerLock, patience: settings.lockPatience)
    } catch { throw TableError(error).of(properties.name) }
    // A write reads many small parts of few files.
    let files = storage.keepOpen()
    defer { withExtendedLifetime(files) {} }
    let authority = LockAuthority(lock)
    do throws(TableError) {
      let state = try await Recovery(storage: storage, settings: settings, authority: authority).run()
      var report = try await body(
        WriteTransaction(
          state: state, settings: settings, reader: BaseFileReader(storage, footers, warn: settings.warn),
          authority: authority, owners: owners))
      await lock.release()
      report.duration = .microseconds(settings.now() - begun)
      return report
    } catch {
      await lock.release()
      throw error.of(properties.name)
    }
  }
}
