import TarnParquet
import TarnTimeline

extension TarnOptions {
  private enum Key {
    static let smallFileLimit = "tarn.small.file.limit.bytes"
    static let targetFileSize = "tarn.target.file.size.bytes"
    static let rowGroupSize = "tarn.row.group.size.bytes"
    static let pageRows = "tarn.page.rows"
    static let keyIndex = "tarn.key.index"
    static let tombstoneRetention = "tarn.tombstone.retention.hours"
    static let cleanPolicy = "tarn.clean.policy"
    static let cleanCount = "tarn.clean.retained"
    static let cleanAutomatic = "tarn.clean.automatic"
    static let archiveAutomatic = "tarn.archive.automatic"
    static let archiveKept = "tarn.archive.kept.commits"
    static let archiveBeyond = "tarn.archive.beyond.actions"
    static let clusterAutomatic = "tarn.cluster.automatic"
    static let clusterBeyond = "tarn.cluster.beyond.files"
    static let codec = "tarn.codec"
    static let bloom = "tarn.bloom.filter"
  }

  /// The options that differ from the defaults, as properties.
  func entries(bloom: BloomFilterChoice) -> [(String, String)] {
    let defaults = TarnOptions()
    var entries: [(String, String)] = []
    if smallFileLimit != defaults.smallFileLimit { entries.append((Key.smallFileLimit, "\(smallFileLimit)")) }
    if targetFileSize != defaults.targetFileSize { entries.append((Key.targetFileSize, "\(targetFileSize)")) }
    if rowGroupSize != defaults.rowGroupSize { entries.append((Key.rowGroupSize, "\(rowGroupSize)")) }
    if pageRows != defaults.pageRows { entries.append((Key.pageRows, "\(pageRows)")) }
    if hasKeyIndex != defaults.hasKeyIndex { entries.append((Key.keyIndex, "\(hasKeyIndex)")) }
    if tombstoneRetentionHours != defaults.tombstoneRetentionHours {
      entries.append((Key.tombstoneRetention, "\(tombstoneRetentionHours)"))
    }
    if !tieBreakers.isEmpty {
      entries.append((TableProperties.tieBreakersKey, tieBreakers.joined(separator: ",")))
    }
    if retention != defaults.retention {
      entries += [(Key.cleanPolicy, retention.name), (Key.cleanCount, "\(retention.count)")]
    }
    if cleansAutomatically != defaults.cleansAutomatically {
      entries.append((Key.cleanAutomatic, "\(cleansAutomatically)"))
    }
    if keptCommits != defaults.keptCommits { entries.append((Key.archiveKept, "\(keptCommits)")) }
    if let mostActions, mostActions != defaults.mostActions {
      entries.append((Key.archiveBeyond, "\(mostActions)"))
    }
    if mostActions == nil { entries.append((Key.archiveAutomatic, "false")) }
    if let mostSmallFiles {
      entries += [(Key.clusterAutomatic, "true"), (Key.clusterBeyond, "\(mostSmallFiles)")]
    }
    if let buckets { entries += buckets.entries }
    if compression != defaults.compression { entries.append((Key.codec, Self.name(of: compression))) }
    if bloom != .perFile { entries.append((Key.bloom, bloom.rawValue)) }
    return entries
  }

  /// The options of a table.
  ///
  /// - Throws: What `refusal` makes of the text that says which option has a value that makes no sense.
  package init(
    _ properties: TableProperties,
    refusal: (String) -> TableError = {
      TableError(.damaged, "\(TablePaths.properties): \($0)", path: TablePaths.properties)
    }
  ) throws(TableError) {
    self.init()
    func number(_ key: String, _ standard: Int, _ range: ClosedRange<Int>) throws(TableError) -> Int {
      guard let text = properties.entries[key] else { return standard }
      guard let value = Int(text), range.contains(value) else {
        throw refusal("\(key)=\(text) is no number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    smallFileLimit = try number(Key.smallFileLimit, smallFileLimit, 0...(1 << 40))
    targetFileSize = try number(Key.targetFileSize, targetFileSize, 1_024...(1 << 40))
    rowGroupSize = try number(Key.rowGroupSize, rowGroupSize, 1_024...(1 << 31))
    pageRows = try number(Key.pageRows, pageRows, 1...1_000_000)
    tombstoneRetentionHours = try number(Key.tombstoneRetention, tombstoneRetentionHours, 0...1_000_000)
    func truth(_ key: String, _ standard: Bool) throws(TableError) -> Bool {
      guard let text = properties.entries[key] else { return standard }
      guard let value = Bool(text) else { throw refusal("\(key)=\(text) is neither true nor false") }
      return value
    }
    hasKeyIndex = try truth(Key.keyIndex, hasKeyIndex)
    tieBreakers = properties.tieBreakers
    cleansAutomatically = try truth(Key.cleanAutomatic, cleansAutomatically)
    keptCommits = try number(Key.archiveKept, keptCommits, 12...1_000_000)
    mostActions = try number(Key.archiveBeyond, 30, 12...10_000_000)
    if try !truth(Key.archiveAutomatic, true) { mostActions = nil }
    let beyondFiles = try number(Key.clusterBeyond, 16, 1...1_000_000)
    if try truth(Key.clusterAutomatic, false) { mostSmallFiles = beyondFiles }
    if let text = properties.entries[Key.cleanPolicy] {
      let count = try number(Key.cleanCount, 10, 1...1_000_000)
      guard let named = Retention(named: text, count) else {
        throw refusal("\(Key.cleanPolicy)=\(text) is neither commits nor versions nor hours")
      }
      retention = named
    }
    (buckets, deniesBuckets) = try Buckets.read(properties, refusal)
    if let text = properties.entries[Key.codec] {
      guard let known = Self.compression(named: text) else {
        throw refusal("\(Key.codec)=\(text) is no codec Tarn writes")
      }
      compression = known
    }
  }

  private static func name(of compression: ParquetWriteOptions.Compression) -> String {
    switch compression {
    case .uncompressed: "uncompressed"
    case .snappy: "snappy"
    case .gzip(let level): "gzip:\(level)"
    case .zstd(let level): "zstd:\(level)"
    }
  }

  /// The compression that a text such as `zstd:1` or `gzip` names; nil for another.
  static func compression(named text: String) -> ParquetWriteOptions.Compression? {
    let parts = text.split(separator: ":", maxSplits: 1)
    let level = parts.count == 2 ? Int(parts[1]) : nil
    if parts.count == 2, level == nil { return nil }
    switch parts.first {
    case "uncompressed": return parts.count == 1 ? .uncompressed : nil
    case "snappy": return parts.count == 1 ? .snappy : nil
    case "gzip": return (1...9).contains(level ?? 6) ? .gzip(level: level ?? 6) : nil
    case "zstd": return (1...19).contains(level ?? 1) ? .zstd(level: level ?? 1) : nil
    default: return nil
    }
  }

  /// How the Bloom filters of a table's files are sized.
  package static func bloom(_ properties: TableProperties) throws(TableError) -> BloomFilterChoice {
    guard let text = properties.entries[Key.bloom] else { return .perFile }
    guard let choice = BloomFilterChoice(rawValue: text) else {
      throw TableError(
        .damaged, "\(TablePaths.properties): \(Key.bloom)=\(text) is neither file nor hudi",
        path: TablePaths.properties)
    }
    return choice
  }
}
