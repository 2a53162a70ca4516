import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnTimeline

/// Looks for record keys that a partition has more than once.
///
/// Hashes of keys are sorted, so many at a time that memory stays bounded, and a partition with more rows is read several
/// times. Where two hashes are equal the keys themselves are compared, in one more reading.
struct DuplicateKeys: Sendable {
  private let scan: StoredKeyScan
  /// Told of each file whose keys were read.
  private let counter: WorkCounter

  /// Hashes that are held at once.
  private static let mostAtOnce = 4 << 20
  /// Keys of one reading that are compared themselves.
  private static let mostCompared = 1_000
  /// Keys of one partition that are told one by one.
  private static let mostTold = 10

  /// Goes through partitions.
  ///
  static func findings(
    in partitions: [FileCheck.Readable], _ properties: TableProperties, _ timeline: Timeline,
    _ reader: BaseFileReader, _ settings: TableSettings
  ) async throws -> [CheckFinding] {
    // A table without key has none twice.
    guard properties.populatesMetaFields || !properties.recordKeyFields.isEmpty,
      partitions.contains(where: { $0.rows > 0 })
    else { return [] }
    let state = try await TableState(properties, timeline, nil, reader.storage)
    let keys = try TableKeys(properties, try state.requireSchema(), nil)
    let files = partitions.reduce(0) { $0 + $1.slices.count }
    let search = DuplicateKeys(
      scan: StoredKeyScan(keys.stored, reader), counter: settings.counting(.check, of: files, "files"))
    return try await concurrently(partitions, width: settings.parallelism) { try await search.findings($0) }
      .flatMap(\.self)
  }

  /// Goes through a partition.
  private func findings(_ partition: FileCheck.Readable) async throws -> [CheckFinding] {
    let passes = UInt64((partition.rows + Self.mostAtOnce - 1) / Self.mostAtOnce)
    var findings: [CheckFinding] = []
    var count = 0
    do throws(FileGroupError) {
      for pass in 0..<passes {
        let doubles = try await doubles(partition.slices, pass: pass, of: passes)
        guard !doubles.isEmpty else { continue }
        let found = try await compare(partition.slices, doubles)
        for (key, paths) in found.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
          count += 1
          guard count <= Self.mostTold else { continue }
          let text = String(decoding: key.prefix(80), as: UTF8.self).debugDescription
          let others = paths.dropFirst().joined(separator: ", ")
          findings.append(
            CheckFinding(
              .duplicateKey, paths[0],
              "key \(text) stands \(paths.count) times in its partition, also in \(others)"))
        }
      }
    } catch {
      switch error.code {
      case .storage, .cancelled: throw error
      default:
        return [CheckFinding(.damaged, error.path, "its keys cannot be read: \(error.message)")]
      }
    }
    if count > Self.mostTold {
      let place = partition.partition.isEmpty ? "the table" : "partition \(partition.partition)"
      findings.append(
        CheckFinding(
          .duplicateKey, nil, "\(count - Self.mostTold) more keys at least stand in \(place) more than once"))
    }
    return findings
  }

  /// Hashes that more than one key has.
  private func doubles(
    _ slices: [FileSlice], pass: UInt64, of passes: UInt64
  ) async throws(FileGroupError) -> Set<UInt64> {
    var hashes: [UInt64] = []
    for slice in slices {
      try await scan.forEach(in: slice) { keys in
        for row in 0..<keys.count {
          let key = keys[row]
          guard key.byteCount > 0 else { continue }
          let hash = XXH64.hash(key)
          if hash % passes == pass { hashes.append(hash) }
        }
      }
      if pass == 0 { counter.advance() }
    }
    hashes.sort()
    var doubles: Set<UInt64> = []
    for index in hashes.indices.dropFirst() where hashes[index] == hashes[index - 1] {
      guard doubles.count < Self.mostCompared else { break }
      doubles.insert(hashes[index])
    }
    return doubles
  }

  /// The keys with some hashes that really are there more than once, with the file of each row.
  private func compare(
    _ slices: [FileSlice], _ hashes: Set<UInt64>
  ) async throws(FileGroupError) -> [[UInt8]: [String]] {
    var found: [[UInt8]: [String]] = [:]
    for slice in slices {
      try await scan.forEach(in: slice) { keys in
        for row in 0..<keys.count where hashes.contains(XXH64.hash(keys[row])) {
          found[keys[row].copied(), default: []].append(slice.path)
        }
      }
    }
    return found.filter { $0.value.count > 1 }
  }
}
