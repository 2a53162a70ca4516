import Synchronization
import TarnBytes

/// Forces files and folders to the disk, many at once, and counts how often.
///
/// The disk takes its time, while a process has as many threads for its tasks as there are cores. So each such
/// call gets a thread of its own, and the tasks of others go on. A file system does many at once in hardly more time than
/// one, since it writes its journal for all of them together.
package final class Synchronizer: Sendable {
  /// Calls under way at once at most.
  static let width = 32

  private struct State {
    var count = 0
    var underWay = 0
    var mostUnderWay = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// How often a file or a folder was forced to the disk.
  package var count: Int { state.withLock { $0.count } }
  /// The most calls that were under way at once.
  package var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

  /// Forces an open file's bytes, or a folder's names, to the disk.
  ///
  /// - Returns: 0, or a negated error number.
  func synchronize(_ descriptor: Int) async -> Int {
    await begin()
    defer { end() }
    return await OwnThread.call { FileSystem.synchronize(descriptor) }
  }

  /// Forces a folder's names to the disk.
  func synchronize(folder: String, path: String) async throws(StorageError) {
    let descriptor = FileSystem.openFolder(folder)
    guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening the folder \(folder)") }
    defer { FileSystem.close(descriptor) }
    let result = await synchronize(descriptor)
    guard result == 0 else { throw .system(result, path: path, "writing the folder \(folder) to the disk") }
  }

  /// Forces an open file's bytes to the disk while the caller goes on, and closes it.
  ///
  /// It waits while too many calls are under way.
  func begin(_ descriptor: Int, then done: @escaping @Sendable (Int) -> Void) async {
    await begin()
    OwnThread.run {
      let result = FileSystem.synchronize(descriptor)
      FileSystem.close(descriptor)
      self.end()
      done(result)
    }
  }

  private func begin() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        state.count += 1
        guard state.underWay < Self.width else {
          state.waiting.append(continuation)
          return false
        }
        state.underWay += 1
        state.mostUnderWay = max(state.mostUnderWay, state.underWay)
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  private func end() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      // The place goes to one who waits.
      if !state.waiting.isEmpty { return state.waiting.removeFirst() }
      state.underWay -= 1
      return nil
    }
    next?.resume()
  }
}

/// What a batch has written and not yet forced to the disk.
final class PendingWrites: Sendable {
  private struct State {
    /// The folders whose names changed, each with an object for errors.
    var folders: [ExactText: String] = [:]
    var filesUnderWay = 0
    var failure: StorageError?
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// Remembers that names in a folder changed on behalf of an object.
  func note(folder: String, path: String) {
    state.withLock { state in
      if state.folders[ExactText(folder)] == nil { state.folders[ExactText(folder)] = path }
    }
  }

  /// Begins to force an open file's bytes to the disk, and closes it then.
  func begin(_ descriptor: Int, _ path: String, _ synchronizer: Synchronizer) async {
    state.withLock { $0.filesUnderWay += 1 }
    await synchronizer.begin(descriptor) { self.end($0, path) }
  }

  private func end(_ result: Int, _ path: String) {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.filesUnderWay -= 1
      if result != 0, state.failure == nil {
        state.failure = .system(result, path: path, "writing its bytes to the disk")
      }
      guard state.filesUnderWay == 0 else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Waits for the files' bytes, and then forces the folders' names to the disk.
  ///
  /// - Throws: ``StorageError`` of the first that fails. It fails for good: what was written may not be there.
  func settle(_ synchronizer: Synchronizer) async throws(StorageError) {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        guard state.filesUnderWay > 0 else { return true }
        state.waiting.append(continuation)
        return false
      }
      if isDone { continuation.resume() }
    }
    if let failure = await settleFolders(synchronizer).first {
      state.withLock { $0.failure = $0.failure ?? failure }
    }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Forces the folders' names to the disk, many at once.
  ///
  /// - Returns: The errors of those with which that failed.
  func settleFolders(_ synchronizer: Synchronizer) async -> [StorageError] {
    let folders = state.withLock { state in
      defer { state.folders = [:] }
      return state.folders
    }
    return await withTaskGroup(of: StorageError?.self) { group in
      var failures: [StorageError] = []
      var rest = folders.makeIterator()
      for _ in 0..<Synchronizer.width {
        guard let next = rest.next() else { break }
        group.addTask { await Self.failure(next, synchronizer) }
      }
      for await failure in group {
        if let failure { failures.append(failure) }
        if let next = rest.next() { group.addTask { await Self.failure(next, synchronizer) } }
      }
      return failures
    }
  }

  private static func failure(
    _ folder: (key: ExactText, value: String), _ synchronizer: Synchronizer
  ) async -> StorageError? {
    do throws(StorageError) {
      try await synchronizer.synchronize(folder: folder.key.text, path: folder.value)
      return nil
    } catch {
      return error
    }
  }
}
