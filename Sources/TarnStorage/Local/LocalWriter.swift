import Synchronization
import TarnBytes

/// Writes one file in the scratch folder, and moves it to its place at the end.
final class LocalWriter: ObjectWriter {
  private struct Output {
    var buffer: [UInt8] = []
    /// There once something was copied.
    var copier: FileCopier?
  }

  private enum State {
    case open(Output)
    case closed
  }

  /// Bytes gathered before the system is called.
  private static let bufferSize = 256 << 10

  private let storage: LocalStorage
  private let path: String
  private let temporary: Temporary
  private let state: Mutex<State>

  init(storage: LocalStorage, path: String, temporary: Temporary) {
    self.storage = storage
    self.path = path
    self.temporary = temporary
    state = Mutex(.open(Output()))
  }

  deinit { close() }

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    try withOutput { (output) throws(StorageError) in try append(bytes, to: &output) }
  }

  /// Ranges up to this size are read and gathered: a call of the system for each would cost more.
  private static let smallCopy = 64 << 10

  /// Ranges from this size on are copied by a thread of their own: the kernel takes its time with them.
  private static let longCopy = 4 << 20

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    guard range.count < Self.longCopy else { return try await copyLong(range, of: path, tag: tag) }
    try withOutput { (output) throws(StorageError) in
      try StoragePath.check(path)
      guard range.count > Self.smallCopy else {
        return try append(try storage.part(range, of: path, tag: tag), to: &output)
      }
      let copier = try copier(behind: &output)
      try storage.append(range, of: path, tag: tag, to: temporary, copier)
    }
  }

  private func copyLong(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    var output = try state.withLock { (state: inout State) throws(StorageError) in try take(&state) }
    do throws(StorageError) {
      try StoragePath.check(path)
      let copier = try copier(behind: &output)
      let (storage, temporary) = (storage, temporary)
      let failure = await OwnThread.call { () -> StorageError? in
        do throws(StorageError) {
          try storage.append(range, of: path, tag: tag, to: temporary, copier)
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
    } catch {
      storage.discard(temporary)
      throw error
    }
    state.withLock { $0 = .open(output) }
  }

  /// What copies to the end of what was written.
  private func copier(behind output: inout Output) throws(StorageError) -> FileCopier {
    try flush(output.buffer)
    output.buffer.removeAll(keepingCapacity: true)
    let copier = output.copier ?? FileCopier(to: temporary.descriptor)
    output.copier = copier
    return copier
  }

  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    let output = try state.withLock { (state: inout State) throws(StorageError) in try take(&state) }
    defer { storage.discard(temporary) }
    try flush(output.buffer)
    try storage.check(condition, at: path)
    return try await storage.publish(temporary, at: path, if: condition, isSettled: false)
  }

  func abandon() async { close() }

  private func close() {
    state.withLock { state in
      guard case .open = state else { return }
      state = .closed
      storage.discard(temporary)
    }
  }

  /// Works on the output; where that fails, the writer is closed, since a part would be missing.
  private func withOutput(
    _ body: (inout Output) throws(StorageError) -> Void
  ) throws(StorageError) {
    try state.withLock { (state: inout State) throws(StorageError) in
      var output = try take(&state)
      do throws(StorageError) { try body(&output) } catch {
        storage.discard(temporary)
        throw error
      }
      state = .open(output)
    }
  }

  /// Takes the output out and leaves the writer closed, so that its buffer is not copied when it grows.
  private func take(_ state: inout State) throws(StorageError) -> Output {
    guard case .open(let output) = state else { throw .closed(path) }
    state = .closed
    return output
  }

  private func append(_ bytes: [UInt8], to output: inout Output) throws(StorageError) {
    if output.buffer.count + bytes.count <= Self.bufferSize {
      output.buffer += bytes
      return
    }
    try flush(output.buffer)
    output.buffer.removeAll(keepingCapacity: true)
    if bytes.count < Self.bufferSize { output.buffer += bytes } else { try flush(bytes) }
  }

  /// Writes bytes to the temporary.
  private func flush(_ bytes: [UInt8]) throws(StorageError) {
    let result = bytes.withUnsafeBytes { FileSystem.writeAll(temporary.descriptor, $0) }
    guard result == 0 else { throw failure(result) }
  }

  private func failure(_ result: Int) -> StorageError {
    .system(result, path: path, "writing \(temporary.file)")
  }
}
