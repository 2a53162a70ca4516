import TarnBytes
import TarnLogs

/// The newest file of an archive while it is small: the next one takes its records over, so that the archive of many commits
/// lies in few files.
///
/// Each file begins with a schema that is longer than what a few commits say.
package struct ArchiveTail: Sendable {
  /// The file's path, which is removed once its records lie in the next one.
  package let path: String
  /// Its records, in their order, as Tarn's schema of the archive encodes them.
  let records: [[UInt8]]

  /// Bytes beyond which a file stays as it is.
  private static let mostBytes = 128 << 10

  /// Reads the newest file of an archive.
  ///
  /// - Returns: Nil where there is none, where it is long enough or another engine's, and where it cannot be read whole: it
  ///   stays then.
  package static func load(of archive: ArchivedTimeline) async -> ArchiveTail? {
    guard let file = archive.files.first, file.size <= mostBytes, ArchivedTimeline.isOwnFile(file.path) else {
      return nil
    }
    var records: [[UInt8]] = []
    do throws(LogError) {
      var reader = LogReader(archive.storage, path: file.path, size: file.size)
      while let block = try await reader.nextBlock() {
        guard block.kind == .avro, block.schema == ArchiveSchema.text else { return nil }
        try await reader.beginRecords(of: block)
        while try await reader.nextRecord() { records.append(reader.record.copied()) }
      }
    } catch { return nil }
    return ArchiveTail(path: file.path, records: records)
  }
}
