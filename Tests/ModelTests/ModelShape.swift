import Synchronization
import Tarn
import TarnParquet
import TarnTestSupport

/// What is chosen for a random table before its first row: the one place of its options.
struct ModelShape: Sendable {
  let isOrdered: Bool
  let scope: KeyScope
  /// The keys that come again and again are so many.
  let keyCount: Int
  let options: TableOptions
  let settings: TableSettings

  init(_ random: inout SeededGenerator) {
    isOrdered = !random.oneIn(4)
    scope = random.oneIn(2) ? .table : .partition
    keyCount = [6, 20, 60][random.below(3)]
    settings = Self.settings(&random)
    options = Self.options(&random)
  }

  /// Whether deletions are remembered.
  var remembers: Bool { isOrdered && options.tarn.hasKeyIndex }
  /// The column of base files that has the record keys.
  var keyColumn: String { options.populatesMetaColumns ? "_hoodie_record_key" : "key" }
  /// The meta columns that the model knows, and the table has.
  var metaNames: [String] {
    options.populatesMetaColumns
      ? ["_hoodie_commit_time", "_hoodie_record_key", "_hoodie_partition_path"] : []
  }

  /// Sizes so small that few rows fill several pages, row groups and file groups.
  private static func options(_ random: inout SeededGenerator) -> TableOptions {
    var options = TableOptions()
    options.tarn.pageRows = [1, 3, 7, 100][random.below(4)]
    options.tarn.rowGroupSize = [1_024, 1_500, 4_096][random.below(3)]
    options.tarn.targetFileSize = [1_024, 2_048, 32_768, 1 << 20][random.below(4)]
    options.tarn.smallFileLimit = [0, 26_000, 1 << 20][random.below(3)]
    options.tarn.hasKeyIndex = !random.oneIn(5)
    options.populatesMetaColumns = !random.oneIn(4)
    options.tarn.compression = [.uncompressed, .zstd(level: 1), .snappy, .gzip(level: 1)][random.below(4)]
    return options
  }

  /// A clock and draws that the seed decides, as far as files that are written at once do not draw in turns.
  private static func settings(_ random: inout SeededGenerator) -> TableSettings {
    var settings = TableSettings()
    let clock = SteppedClock(step: Int64(random.below(3)) * 700)
    settings.now = { clock.now() }
    settings.parallelism = 1 + random.below(3)
    let draws = SharedDraws(seed: random.next())
    settings.random = { draws.next() }
    return settings
  }
}

/// Numbers of one seed for whoever asks.
private final class SharedDraws: Sendable {
  private let generator: Mutex<SeededGenerator>

  init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

  func next() -> UInt64 { generator.withLock { $0.next() } }
}
