import TarnBytes
import TarnStorage
import TarnTimeline

/// The table-wide place for tombstones: of keys of which it is not known where they were or would be.
///
/// One small file for each commit, under ``TombstoneFile/folder``, written before the commit completes and taken
/// for real only when it has. Files are never changed; ``merge(expiry:)`` puts one in the place of many, and drops
/// what is too old. A key may have several tombstones in them; the caller takes the one that orders last. One of a
/// key that was stored again later does no harm, since the stored row decides then.
package struct TombstoneStore: Sendable {
  /// Small files beyond which a merge makes one of them.
  static let mostSmallFiles = 8
  /// Bytes up to which a file is small.
  static let smallFile = 4 << 20
  /// Bytes of a file's end that are read first, in the hope that its directory is in them.
  private static let directoryGuess = 16 << 10

  private let storage: any Storage
  private let timeline: Timeline
  /// Files of completed commits, in ascending order.
  package let files: [TombstoneFile]
  /// Files of commits that have not completed, in ascending order.
  package let uncommitted: [TombstoneFile]

  private init(
    storage: any Storage, timeline: Timeline, files: [TombstoneFile], uncommitted: [TombstoneFile]
  ) {
    self.storage = storage
    self.timeline = timeline
    self.files = files
    self.uncommitted = uncommitted
  }

  /// Lists the files.
  ///
  /// - Throws: ``KeyIndexError``, as `storage`.
  package static func open(
    in storage: any Storage, timeline: Timeline
  ) async throws(KeyIndexError) -> TombstoneStore {
    let page: ListingPage
    do { page = try await storage.listAll(prefix: TombstoneFile.folder) } catch { throw .storage(error) }
    let files = page.objects.compactMap { TombstoneFile(path: $0.path, size: $0.size) }.sorted()
    return TombstoneStore(
      storage: storage, timeline: timeline, files: files.filter { timeline.isVisible($0.instant) },
      uncommitted: files.filter { !timeline.isVisible($0.instant) })
  }

  /// Writes the tombstones of a commit, before it completes.
  ///
  /// No file is written where there are none.
  ///
  /// - Returns: The path of the file; nil without one.
  /// - Throws: ``KeyIndexError``, as `storage`; with `preconditionFailed` where the instant has a file already.
  @discardableResult
  package static func write(
    _ tombstones: [KeyTombstone], of instant: Instant, in storage: any Storage
  ) async throws(KeyIndexError) -> String? {
    guard !tombstones.isEmpty else { return nil }
    let bytes = image(of: tombstones)
    let file = TombstoneFile(instant: instant, generation: 0, size: bytes.count)
    do { try await storage.put(bytes, at: file.path, if: .ifAbsent) } catch { throw .storage(error) }
    return file.path
  }

  /// Removes the files of attempts that were rolled back.
  ///
  /// It must be done before the timeline's begin passes their instants: then they would count as completed. A file of
  /// an attempt that is under way stays.
  ///
  /// - Parameter timeline: The timeline, read after this store was opened: an attempt stands on it before its file does.
  /// - Throws: ``KeyIndexError``, as `storage`.
  package func removeAbandoned(by timeline: Timeline) async throws(KeyIndexError) {
    let pending = Set(timeline.pending.map(\.instant))
    for file in uncommitted where file.generation == 0 {
      guard !pending.contains(file.instant), !timeline.isVisible(file.instant) else { continue }
      do { try await storage.delete(file.path) } catch { throw .storage(error) }
    }
  }

  /// Tells the tombstones whose key has one of the hashes; the keys themselves are for the caller to compare.
  ///
  /// - Parameters:
  ///   - sortedHashes: Hashes of the keys in ascending order.
  ///   - expiry: Tombstones of before this time are left out, in milliseconds since 1970-01-01T00:00:00Z.
  /// - Returns: The tombstones of all files, some of them perhaps twice.
  /// - Throws: ``KeyIndexError``.
  package func tombstones(
    for sortedHashes: [UInt32], expiry: Int64 = .min
  ) async throws(KeyIndexError) -> [KeyTombstone] {
    guard !sortedHashes.isEmpty else { return [] }
    var store = self
    var attempt = 1
    while true {
      do throws(KeyIndexError) {
        var found: [KeyTombstone] = []
        for file in store.files {
          found += try await store.directory(of: file)
            .tombstones(for: sortedHashes, in: storage, at: file.path, expiry: expiry)
        }
        return found
      } catch {
        // A merge elsewhere has put another file in this one's place.
        guard case .storage(let inner) = error, inner.code == .notFound, attempt < 4 else { throw error }
        attempt += 1
        store = try await Self.open(in: storage, timeline: timeline)
      }
    }
  }

  private func directory(of file: TombstoneFile) async throws(KeyIndexError) -> KeyIndexDirectory {
    try await KeyIndexDirectory.read(
      region: 0..<file.size, guess: Self.directoryGuess, in: storage, at: file.path)
  }

  // MARK: Merging

  /// Which files a merge takes: all small ones when they are many, and those with nothing but expired tombstones.
  ///
  /// - Parameter expiry: Tombstones of before this time have expired, in milliseconds since 1970-01-01T00:00:00Z.
  func filesToMerge(expiry: Int64) -> [TombstoneFile] {
    let (microseconds, overflow) = expiry.multipliedReportingOverflow(by: 1_000)
    let expired = overflow ? nil : Instant(microseconds: microseconds)
    let small = files.filter { $0.size <= Self.smallFile }
    let takesSmall = small.count > Self.mostSmallFiles
    return files.filter { file in
      if takesSmall, file.size <= Self.smallFile { return true }
      return expired.map { file.instant < $0 } ?? false
    }
  }

  /// Puts one file in the place of many, without what has expired, where that is worth its while.
  ///
  /// The new file is durable before the old ones go. Whoever stops in between leaves tombstones twice, which changes
  /// no answer, and the next merge mends it. Where another writer merges too, one of them wins, and nothing is lost: each
  /// deletes only files whose tombstones are in a file of its own.
  ///
  /// - Parameter expiry: Tombstones of before this time go, in milliseconds since 1970-01-01T00:00:00Z.
  /// - Returns: The files afterwards.
  /// - Throws: ``KeyIndexError``; then all tombstones are still there.
  package func merge(expiry: Int64) async throws(KeyIndexError) -> TombstoneStore {
    let old = filesToMerge(expiry: expiry)
    guard let latest = old.last else { return self }
    var tombstones: [KeyTombstone] = []
    do throws(KeyIndexError) {
      for file in old {
        tombstones += try await directory(of: file)
          .allTombstones(in: storage, at: file.path, expiry: expiry)
      }
    } catch {
      // Another writer has merged it.
      guard case .storage(let inner) = error, inner.code == .notFound else { throw error }
      return try await Self.open(in: storage, timeline: timeline)
    }
    var left = files.filter { !old.contains($0) }
    do {
      if !tombstones.isEmpty {
        let bytes = Self.image(of: tombstones)
        let generation = files.filter { $0.instant == latest.instant }.map(\.generation).max() ?? 0
        let merged = TombstoneFile(
          instant: latest.instant, generation: generation + 1, size: bytes.count)
        try await storage.put(bytes, at: merged.path, if: .ifAbsent)
        left.append(merged)
      }
      try await storage.deleteAll(old.map(\.path))
    } catch {
      guard error.code == .preconditionFailed else { throw .storage(error) }
      return try await Self.open(in: storage, timeline: timeline)
    }
    return TombstoneStore(
      storage: storage, timeline: timeline, files: left.sorted(), uncommitted: uncommitted)
  }

  /// Keeps the older tombstones of files that were merged under the names of commits which are taken back, in a file of a
  /// commit that stays.
  ///
  /// Until they are taken back they stand twice, which changes no answer.
  ///
  /// - Parameters:
  ///   - commits: The commits that are taken back.
  ///   - instant: One that stays.
  ///   - isKept: Whether tombstones of a time are of commits that stay, in milliseconds since 1970-01-01T00:00:00Z.
  /// - Throws: ``KeyIndexError``; then all tombstones are still there.
  package func keep(
    besides commits: Set<Instant>, as instant: Instant, where isKept: (Int64) -> Bool
  ) async throws(KeyIndexError) {
    let merged = files.filter { $0.generation > 0 && commits.contains($0.instant) }
    var tombstones: [KeyTombstone] = []
    for file in merged {
      tombstones += try await directory(of: file).allTombstones(in: storage, at: file.path, expiry: .min)
        .filter { isKept($0.time) }
    }
    guard !tombstones.isEmpty else { return }
    let bytes = Self.image(of: tombstones)
    let generation = files.filter { $0.instant == instant }.map(\.generation).max() ?? 0
    let file = TombstoneFile(instant: instant, generation: generation + 1, size: bytes.count)
    do { try await storage.put(bytes, at: file.path, if: .ifAbsent) } catch { throw .storage(error) }
  }

  /// The bytes of a file: of equal tombstones of one key, the last.
  private static func image(of tombstones: [KeyTombstone]) -> [UInt8] {
    struct Identity: Hashable {
      let key: [UInt8]
      let ordering: [UInt8]?
    }
    var latest: [Identity: KeyTombstone] = [:]
    for tombstone in tombstones {
      let identity = Identity(key: tombstone.key, ordering: tombstone.ordering)
      if let known = latest[identity], known.time >= tombstone.time { continue }
      latest[identity] = tombstone
    }
    let sorted = latest.values.sorted { left, right in
      guard left.hash == right.hash else { return left.hash < right.hash }
      guard left.time == right.time else { return left.time < right.time }
      return left.key.lexicographicallyPrecedes(right.key)
    }
    var bytes: [UInt8] = []
    var blocks: [KeyIndexBlock] = []
    KeyTombstoneWriter(sizing: KeyIndex.Sizing()).write(sorted, into: &bytes, &blocks)
    KeyIndexDirectory(
      regionOffset: 0, slotRows: [], slotWidth: 1, entryBlocks: [], tombstoneBlocks: blocks
    ).encode(into: &bytes)
    return bytes
  }
}
