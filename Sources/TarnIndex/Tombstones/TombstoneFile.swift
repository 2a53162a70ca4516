import TarnTimeline

/// A file of tombstones of keys whose partition is not known, written by one commit or merged of several.
///
/// It is a key index without slots and entries, from its first byte to its last; see the article "The key
/// index". Its name is the instant of the commit, for a merged file that of the latest commit in it and a
/// number: `20261124155000123.tombs`, `20261124155000123_0001.tombs`.
package struct TombstoneFile: Sendable, Hashable, Comparable {
  /// Folder of all such files.
  package static let folder = TablePaths.tombstones
  private static let suffix = ".tombs"

  /// The commit that the file belongs to.
  package let instant: Instant
  /// 0 for a file that its commit wrote; greater for each merge.
  package let generation: Int
  /// Length in bytes.
  package let size: Int

  init(instant: Instant, generation: Int, size: Int) {
    self.instant = instant
    self.generation = generation
    self.size = size
  }

  /// Takes a path; nil for that of no such file.
  init?(path: String, size: Int) {
    guard path.hasPrefix(Self.folder), path.hasSuffix(Self.suffix) else { return nil }
    let name = path.dropFirst(Self.folder.count).dropLast(Self.suffix.count)
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard let first = parts.first, let instant = Instant(first), parts.count <= 2 else { return nil }
    var generation = 0
    if parts.count == 2 {
      guard let number = Int(parts[1]), number > 0, number < Int(Int32.max) else { return nil }
      generation = number
    }
    self.init(instant: instant, generation: generation, size: size)
    guard self.path == path else { return nil }
  }

  /// Path in the table.
  package var path: String {
    guard generation > 0 else { return InstantFiles(instant).tombstones }
    let number = String(generation)
    let zeros = String(repeating: "0", count: max(4 - number.utf8.count, 0))
    return "\(Self.folder)\(instant)_\(zeros)\(number)\(Self.suffix)"
  }

  /// Orders by instant and then by generation.
  package static func < (left: TombstoneFile, right: TombstoneFile) -> Bool {
    (left.instant, left.generation) < (right.instant, right.generation)
  }
}
