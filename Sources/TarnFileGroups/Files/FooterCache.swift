import Synchronization
import TarnBytes
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// The footers of base files that one process met, and the directories of their key indexes, up to a bound.
///
/// A base file never changes: another version of it has another name. So what was read of one holds as long as a
/// listing shows it, and the next write need not read it again.
package final class FooterCache: Sendable {
  private struct Entry {
    var file: ParquetFile
    var lastUse: Int
    /// Whether the keys that the file stores were seen to be those that are made here.
    var hasSoundKeys = false
    /// The directory of its key index, once that was read.
    var index: KeyIndexDirectory?
    /// Bytes of memory that these take, about.
    var memory: Int
  }

  private struct State {
    var entries: [ExactText: Entry] = [:]
    var bytes = 0
    var uses = 0
  }

  private let state = Mutex(State())
  private let limit: Int
  private let cutsNanoseconds: Bool

  /// The share of a write's memory that footers may take.
  private static let share = 8

  /// Begins empty.
  ///
  /// - Parameters:
  ///   - memory: Bytes of memory that a write may take in all.
  ///   - cutsNanoseconds: Whether times in the files that are finer than microseconds lose those digits.
  package init(memory: Int, cutsNanoseconds: Bool = false) {
    limit = memory / Self.share
    self.cutsNanoseconds = cutsNanoseconds
  }

  /// Bytes of memory that the footers take, about.
  package var byteCount: Int { state.withLock { $0.bytes } }

  /// Opens the base file of a slice.
  ///
  /// - Throws: ``ParquetError``.
  package func open(
    _ slice: FileSlice, in storage: any Storage
  ) async throws(ParquetError) -> ParquetFile {
    let path = ExactText(slice.path)
    let known = state.withLock { state -> ParquetFile? in
      guard let entry = state.entries[path], entry.file.tag == slice.tag else { return nil }
      state.uses += 1
      state.entries[path]?.lastUse = state.uses
      return entry.file
    }
    if let known { return known }
    let opened = try await ParquetFile.open(storage, path: slice.path, size: slice.size, tag: slice.tag)
    let file = cutsNanoseconds ? opened.cuttingNanoseconds() : opened
    state.withLock { keep(Entry(file: file, lastUse: 0, memory: file.footerMemory), path, &$0) }
    return file
  }

  /// Opens the base file of a slice, and once in its time here checks the keys that it stores, where it is not known
  /// that Tarn has made them all.
  ///
  /// - Throws: ``FileGroupError``.
  package func open(
    _ slice: FileSlice, in storage: any Storage, checking check: StoredKeyCheck?
  ) async throws(FileGroupError) -> ParquetFile {
    let file: ParquetFile
    do { file = try await open(slice, in: storage) } catch { throw FileGroupError(error) }
    guard let check, file.keyIndexReference == nil || !file.hasKeysOfTarn else { return file }
    let path = ExactText(slice.path)
    guard state.withLock({ $0.entries[path]?.hasSoundKeys != true }) else { return file }
    try await check.check(file)
    state.withLock { $0.entries[path]?.hasSoundKeys = true }
    return file
  }

  /// The directory of a file's key index.
  ///
  /// - Returns: Nil where the file has no key index.
  /// - Throws: ``KeyIndexError``.
  package func keyIndex(
    of file: ParquetFile, in storage: any Storage
  ) async throws(KeyIndexError) -> KeyIndexDirectory? {
    guard let reference = file.keyIndexReference else { return nil }
    let path = ExactText(file.path)
    let known = state.withLock { state -> KeyIndexDirectory? in
      guard let entry = state.entries[path], entry.file.tag == file.tag, entry.file.size == file.size else {
        return nil
      }
      return entry.index
    }
    if let known { return known }
    let index = try await KeyIndexDirectory.read(reference, in: storage, at: file.path)
    state.withLock { state in
      guard var entry = state.entries[path], entry.file.tag == file.tag, entry.file.size == file.size,
        entry.memory + index.memory <= limit
      else { return }
      remove(path, &state)
      entry.index = index
      entry.memory += index.memory
      keep(entry, path, &state)
    }
    return index
  }

  private func keep(_ entry: Entry, _ path: ExactText, _ state: inout State) {
    remove(path, &state)
    guard entry.memory <= limit else { return }
    if state.bytes > limit - entry.memory { makeRoom(for: entry.memory, &state) }
    state.uses += 1
    var entry = entry
    entry.lastUse = state.uses
    state.entries[path] = entry
    state.bytes += entry.memory
  }

  /// Forgets what was not used for longest, down to half of the bound, so that it is rarely looked for.
  private func makeRoom(for bytes: Int, _ state: inout State) {
    let oldest = state.entries.map { (path: $0.key, lastUse: $0.value.lastUse) }
      .sorted { $0.lastUse < $1.lastUse }
    for entry in oldest {
      guard state.bytes > max(limit / 2 - bytes, 0) else { return }
      remove(entry.path, &state)
    }
  }

  private func remove(_ path: ExactText, _ state: inout State) {
    guard let old = state.entries.removeValue(forKey: path) else { return }
    state.bytes -= old.memory
  }
}
