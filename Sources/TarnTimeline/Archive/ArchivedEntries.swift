import TarnAvro
import TarnBytes
import TarnLogs
import TarnStorage

/// Reads the entries of an archive one by one; in memory is one of them.
package struct ArchivedEntries: ~Copyable, Sendable {
  private let archive: ArchivedTimeline
  private var files: [ArchivedTimeline.File]
  /// The paths of all files of the archive that were ever seen.
  private var known: Set<String>
  /// The next file to be read.
  private var nextFile = 0
  /// Of the file before it; at first of one that has nothing.
  private var reader: LogReader
  /// The schema of the block that is read, and its decoder: blocks have the same, mostly.
  private var schema = ""
  private var decoder: AvroDecoder?
  private var failure: TimelineError?

  /// Reads some files of an archive.
  init(_ files: [ArchivedTimeline.File], of archive: ArchivedTimeline) {
    self.archive = archive
    self.files = files
    known = Set(archive.files.map(\.path))
    reader = LogReader(archive.storage, path: "", size: 0)
  }

  /// The next entry.
  ///
  /// Instants and actions that Tarn does not know are passed over, as on the timeline itself, and so are parts of a
  /// file that are no block. A reader that has failed goes on failing. Where one of Tarn's writers merges files of the
  /// archive meanwhile, entries may come twice.
  ///
  /// - Throws: ``TimelineError``: `damaged`; `unsupported` for kinds of blocks and states that are not known; `storage`,
  ///   also where another engine that merges files of the archive has removed one meanwhile.
  package mutating func next() async throws(TimelineError) -> ArchivedEntry? {
    try await next { _ in true }
  }

  /// The next entry that is wanted; others are not copied out of the file.
  ///
  /// - Throws: ``TimelineError``, as ``next()``.
  package mutating func next(
    where isWanted: (TimelineEntry) -> Bool
  ) async throws(TimelineError) -> ArchivedEntry? {
    // Entries behind an error would be taken for all there are.
    if let failure { throw failure }
    do throws(TimelineError) {
      while true {
        do throws(TimelineError) {
          if let entry = try await nextOfBlock(where: isWanted) { return entry }
          if try await beginBlock() { continue }
        } catch {
          guard error.storageError?.code == .notFound, try await turnsToMerged() else { throw error }
        }
        guard nextFile < files.count else { return nil }
        reader = LogReader(archive.storage, path: files[nextFile].path, size: files[nextFile].size)
        nextFile += 1
      }
    } catch {
      failure = error
      throw error
    }
  }

  /// Turns to files that have taken over the records of one that is gone.
  ///
  /// - Returns: Whether there are any of Tarn's that were not there when the archive was listed.
  private mutating func turnsToMerged() async throws(TimelineError) -> Bool {
    let present = try await ArchivedTimeline.load(from: archive.storage, folder: archive.folder)
    let merged = present.files.filter { !known.contains($0.path) && ArchivedTimeline.isOwnFile($0.path) }
    known.formUnion(merged.map(\.path))
    files.insert(contentsOf: merged, at: nextFile)
    return !merged.isEmpty
  }

  /// Goes to the next block that has entries; false where the file has none left.
  private mutating func beginBlock() async throws(TimelineError) -> Bool {
    while let block = try await nextBlock() {
      if block.kind == .corrupt { continue }
      do { try await reader.beginRecords(of: block) } catch { throw TimelineError(error) }
      try useSchema(of: block)
      return true
    }
    return false
  }

  private mutating func nextBlock() async throws(TimelineError) -> LogBlock? {
    do { return try await reader.nextBlock() } catch { throw TimelineError(error) }
  }

  private mutating func useSchema(of block: LogBlock) throws(TimelineError) {
    guard let text = block.schema else {
      throw TimelineError(
        .damaged, path: reader.path, "the block at byte \(block.range.lowerBound) has no schema")
    }
    if text == schema, decoder != nil { return }
    do { decoder = AvroDecoder(try AvroLayout(parsing: text)) } catch {
      throw TimelineError(
        .damaged, path: reader.path, "a schema of the archive: \(error.description)", cause: error)
    }
    schema = text
  }

  /// The next entry of the block that is wanted; nil where it has none left.
  private mutating func nextOfBlock(
    where isWanted: (TimelineEntry) -> Bool
  ) async throws(TimelineError) -> ArchivedEntry? {
    while try await nextRecord() {
      if let entry = try entryOfRecord(where: isWanted) { return entry }
    }
    return nil
  }

  private mutating func nextRecord() async throws(TimelineError) -> Bool {
    do { return try await reader.nextRecord() } catch { throw TimelineError(error) }
  }

  /// The entry of the record that was gone to; nil where it is not wanted or not known.
  private func entryOfRecord(
    where isWanted: (TimelineEntry) -> Bool
  ) throws(TimelineError) -> ArchivedEntry? {
    guard let decoder else { return nil }
    let offset = reader.recordRange.lowerBound
    do throws(AvroError) {
      guard let entry = try peek(decoder), isWanted(entry) else { return nil }
      return ArchivedEntry(
        entry: entry, path: reader.path, offset: offset, record: reader.record.copied(), decoder: decoder)
    } catch {
      throw TimelineError(
        error.code == .unsupported ? .unsupported : .damaged, path: reader.path,
        "the entry at byte \(offset): \(error.description)", cause: error)
    }
  }

  /// Reads what the record is of, and passes over the rest.
  private func peek(_ decoder: AvroDecoder) throws(AvroError) -> TimelineEntry? {
    var cursor = ByteReader(reader.record)
    let record = try decoder.record(from: &cursor, fields: ["commitTime", "actionType", "actionState"])
    guard cursor.isAtEnd else {
      throw AvroError(.malformed, at: cursor.offset, "\(cursor.remaining) bytes follow the record")
    }
    guard let instant = try record.text("commitTime").flatMap({ Instant($0) }),
      let action = try record.text("actionType").flatMap({ Action(rawValue: $0) })
    else { return nil }
    let state: ActionState
    switch try record.text("actionState") {
    // Old writers archived what was completed, and did not say so.
    case nil, "COMPLETED": state = .completed
    case "INFLIGHT": state = .inflight
    case "REQUESTED": state = .requested
    case let other?: throw AvroError(.unsupported, field: "actionState", "an action that is \(other)")
    }
    return TimelineEntry(instant, action, state)
  }
}

extension TimelineError {
  /// Carries the error of a log file up.
  init(_ error: LogError) {
    if let cause = error.cause {
      self.init(cause)
      return
    }
    let place = error.offset.map { "at byte \($0): " } ?? ""
    self.init(
      error.code == .unsupported ? .unsupported : .damaged, path: error.path, place + error.message,
      cause: error)
  }
}
