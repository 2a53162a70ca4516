import Synchronization
import TarnBytes

/// Files that stay open from one read to the next while somebody asks for it.
///
/// A write reads many small parts of few files. Each read still looks at what is at the path, so that a file which
/// was replaced, or is gone, is noticed as ever.
package final class OpenFiles: Sendable {
  /// An open file, which is closed when nobody reads it any more.
  final class File: Sendable {
    let descriptor: Int
    fileprivate let status: FileSystem.Status

    fileprivate init(_ descriptor: Int, _ status: FileSystem.Status) {
      self.descriptor = descriptor
      self.status = status
    }

    deinit { FileSystem.close(descriptor) }
  }

  private struct State {
    var askers = 0
    /// The one that was used last comes last.
    var files: [(name: ExactText, file: File)] = []
  }

  /// Files that stay open at most.
  private static let most = 8

  private let state = Mutex(State())

  /// Keeps files open from now on.
  package func begin() { state.withLock { $0.askers += 1 } }

  /// Keeps files open no longer, once as often called as ``begin()``.
  package func end() {
    state.withLock { state in
      state.askers -= 1
      if state.askers == 0 { state.files = [] }
    }
  }

  /// Opens a regular file, and tells what is known of it.
  ///
  /// - Parameters:
  ///   - name: The real path.
  ///   - path: The object's, for errors.
  func open(_ name: String, at path: String) throws(StorageError)
    -> (file: File, status: FileSystem.Status)
  {
    let key = ExactText(name)
    if let kept = kept(key) {
      var status = FileSystem.Status()
      if FileSystem.status(of: name, &status) == 0, status.isSameFile(as: kept.status) {
        return (kept, status)
      }
    }
    let descriptor = FileSystem.openForReading(name)
    guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening \(name)") }
    var status = FileSystem.Status()
    let result = FileSystem.status(ofOpen: descriptor, &status)
    let file = File(descriptor, status)
    guard result == 0 else { throw .system(result, path: path, "reading the size of \(name)") }
    guard status.kind == .file else { throw .notAFile(path, name) }
    keep(key, file)
    return (file, status)
  }

  private func kept(_ name: ExactText) -> File? {
    state.withLock { state in
      guard let index = state.files.firstIndex(where: { $0.name == name }) else { return nil }
      let entry = state.files.remove(at: index)
      state.files.append(entry)
      return entry.file
    }
  }

  private func keep(_ name: ExactText, _ file: File) {
    state.withLock { state in
      guard state.askers > 0 else { return }
      state.files.removeAll { $0.name == name }
      if state.files.count == Self.most { state.files.removeFirst() }
      state.files.append((name, file))
    }
  }
}
