import Synchronization
import TarnBytes
import TarnStorage

/// The names of the base files of one attempt, which stand on the disk before any of the files does.
///
/// Who rolls the attempt back deletes exactly these: Hudi's writers go by such markers and by nothing else, and where
/// there are none they delete no file, so that what was never committed is seen once the timeline begins after it.
/// The form is that of Hudi's timeline server: a folder for each instant, in it a file that names this form, and files
/// with a line `<path>.marker.<kind>` for each base file. Each such file is put once and whole, so that more names make
/// one more file.
///
/// Source: format-tables 2.6, format-logs-and-services 4 (`MarkerUtils`, `MarkerBasedRollbackStrategy`).
package final class CommitMarkers: Sendable {
  /// Why a base file is written.
  package enum Kind: String, Sendable {
    /// It begins a file group.
    case create = "CREATE"
    /// It is a new version of one.
    case merge = "MERGE"
  }

  /// A base file that is to be written.
  package struct Marker: Sendable, Hashable {
    /// The file's path relative to the table.
    package var path: String
    /// Why it is written.
    package var kind: Kind

    /// Makes a marker.
    package init(_ kind: Kind, _ path: String) {
      self.path = path
      self.kind = kind
    }
  }

  /// The name of the file that names the form, and what it says.
  private static let form = (name: "MARKERS.type", text: "TIMELINE_SERVER_BASED")
  /// How the names of the others begin.
  private static let prefix = "MARKERS"

  /// The attempt's instant.
  package let instant: Instant
  private let storage: any Storage
  private struct State {
    /// Names of the marker folder's files so far, those whose put failed too.
    var files: [String] = []
    var paths: [String] = []
    /// Puts that are on their way.
    var puts: [Task<Result<Void, TimelineError>, Never>] = []
  }
  private let state = Mutex(State())

  /// Makes the markers of an attempt; nothing is written yet.
  package init(_ instant: Instant, in storage: any Storage) {
    self.instant = instant
    self.storage = storage
  }

  /// The paths of all base files so far.
  package var paths: [String] { state.withLock { $0.paths } }

  /// Writes markers, before the first of the base files is opened; where requests overlap, before it appears: see
  /// ``settle()``.
  ///
  /// The first call must have returned before another begins; later ones may come from several tasks.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func add(_ markers: [Marker]) async throws(TimelineError) {
    guard !markers.isEmpty else { return }
    let number = state.withLock { state in
      if state.files.isEmpty { state.files.append(Self.form.name) }
      state.files.append(Self.prefix + String(state.files.count - 1))
      state.paths += markers.map(\.path)
      return state.files.count - 2
    }
    let lines = markers.map { "\($0.path).marker.\($0.kind.rawValue)\n" }.joined()
    // The form last: until it is there the others count for nothing, and no base file is there yet.
    try await put(lines, at: Self.prefix + String(number))
    if number == 0 { try await put(Self.form.text, at: Self.form.name) }
  }

  private func put(_ text: String, at name: String) async throws(TimelineError) {
    let path = Self.folder(of: instant) + name
    guard storage.costs.overlaps else {
      do { try await storage.put(Array(text.utf8), at: path, if: .ifAbsent) } catch {
        throw TimelineError(error)
      }
      return
    }
    let put = Task { [storage] () -> Result<Void, TimelineError> in
      do throws(StorageError) {
        try await storage.put(Array(text.utf8), at: path, if: .ifAbsent)
        return .success(())
      } catch { return .failure(TimelineError(error)) }
    }
    state.withLock { $0.puts.append(put) }
  }

  /// Waits for the markers that are on their way: no base file may appear before they stand.
  ///
  /// - Throws: ``TimelineError`` with code `storage` where one of them does not.
  package func settle() async throws(TimelineError) {
    var failure: TimelineError?
    for put in state.withLock({ $0.puts }) {
      if case .failure(let error) = await put.value { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  /// Removes the markers, once the commit is completed, and other files with them.
  ///
  /// - Parameter storage: The storage to go through.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func remove(through storage: any Storage, with others: [String]) async throws(TimelineError) {
    let files = state.withLock { $0.files }.map { Self.folder(of: instant) + $0 }
    // In whatever order: nobody asks for the markers of a commit that is completed.
    do { try await storage.deleteAll(files + others) } catch { throw TimelineError(error) }
  }

  // MARK: - Those of others

  /// The folder of an instant's markers, with its slash.
  private static func folder(of instant: Instant) -> String { InstantFiles(instant).markers }

  /// The instant whose markers a folder holds; nil for any other folder.
  package static func instant(ofFolder path: String) -> Instant? {
    guard path.hasPrefix(TablePaths.temporaries), path.hasSuffix("/") else { return nil }
    return Instant(path.dropFirst(TablePaths.temporaries.count).dropLast())
  }

  /// The base files that an attempt of Tarn's may have written; nil where its markers do not tell.
  ///
  /// Only files of its own instant are told of, so that no line, however it came there, names a file of a commit.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func paths(of instant: Instant, in storage: any Storage) async throws(TimelineError)
    -> [String]?
  {
    let folder = folder(of: instant)
    guard try await content(of: folder + form.name, in: storage) == Array(form.text.utf8) else { return nil }
    var paths: [String] = []
    for object in try await objects(of: instant, in: storage) {
      let name = object.path.dropFirst(folder.count)
      guard name.hasPrefix(prefix), name != form.name,
        let bytes = try await content(of: object.path, in: storage)
      else { continue }
      for line in bytes.split(separator: 0x0a) {
        guard let path = basePath(String(decoding: line, as: UTF8.self), instant) else { continue }
        paths.append(path)
      }
    }
    return paths
  }

  /// A marker file's bytes, which are some hundred for each base file; nil where there is no such file.
  private static func content(
    of path: String, in storage: any Storage
  ) async throws(TimelineError) -> [UInt8]? {
    do { return try await storage.readAll(path) } catch {
      if error.code == .notFound { return nil }
      throw TimelineError(error)
    }
  }

  /// The path of the base file that a line names; nil where it is none of the instant's.
  private static func basePath(_ line: String, _ instant: Instant) -> String? {
    let ends = [Kind.create, .merge].map { ".marker." + $0.rawValue }
    guard let end = ends.first(where: line.hasSuffix) else { return nil }
    let path = String(line.dropLast(end.count))
    guard BaseFileName(path: path)?.instant == instant, (try? StoragePath.check(path)) != nil else {
      return nil
    }
    return path
  }

  /// Removes what an instant's marker folder holds.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func remove(_ instant: Instant, in storage: any Storage) async throws(TimelineError) {
    let paths = try await objects(of: instant, in: storage).map(\.path)
    do { try await storage.deleteAll(paths) } catch { throw TimelineError(error) }
  }

  private static func objects(
    of instant: Instant, in storage: any Storage
  ) async throws(TimelineError) -> [ObjectInfo] {
    do { return try await storage.listAll(prefix: folder(of: instant)).objects } catch {
      throw TimelineError(error)
    }
  }
}
