import TarnParquet
import TarnStorage
import TarnTimeline

/// How base files of a table are opened: every reader and every writer goes through it.
package struct BaseFileReader: Sendable {
  /// The table's storage.
  package let storage: any Storage
  /// The footers that were read.
  package let footers: FooterCache
  /// Told of what a user should know and need not act on.
  package let warn: @Sendable (String) -> Void

  /// Names a table's storage.
  package init(
    _ storage: any Storage, _ footers: FooterCache, warn: @escaping @Sendable (String) -> Void
  ) {
    self.storage = storage
    self.footers = footers
    self.warn = warn
  }

  /// Opens the base file of a slice.
  ///
  /// - Throws: ``FileGroupError``.
  package func open(_ slice: FileSlice) async throws(FileGroupError) -> ParquetFile {
    do { return try await footers.open(slice, in: storage).warning(warn) } catch {
      throw FileGroupError(error)
    }
  }

  /// Opens the base file of a slice, and checks once that it stores its keys as they are made here.
  ///
  /// - Throws: ``FileGroupError``, `unsupported` where it does not.
  package func open(
    _ slice: FileSlice, checking check: StoredKeyCheck?
  ) async throws(FileGroupError) -> ParquetFile {
    try await footers.open(slice, in: storage, checking: check).warning(warn)
  }
}
