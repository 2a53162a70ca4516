import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage

/// Rows of a batch by the hashes of their keys, as key indexes are asked.
struct KeyQueries: Sendable {
  /// Shortened hashes, ascending.
  let hashes: [UInt32]
  /// The rows, in that order.
  let rows: [Int32]

  init(_ rows: [Int32], _ keys: RecordKeyGenerator.Keys) {
    let packed = rows.map { UInt64(KeyIndex.shortened(keys.hashes[Int($0)])) << 32 | UInt64(UInt32($0)) }
      .sorted()
    hashes = packed.map { UInt32(truncatingIfNeeded: $0 >> 32) }
    self.rows = packed.map { Int32(truncatingIfNeeded: $0) }
  }
}

/// Looks keys up in the key index of one file, and confirms them by the pages of keys that it names.
struct KeyLookup: Sendable {
  let storage: any Storage
  let file: ParquetFile
  let keys: StoredKeys

  /// Calls `body` with every page of keys that may hold some of them, its first row's position, and those rows of the
  /// batch.
  ///
  /// - Returns: The directory of the file's key index; nil where it has none that fits it, and `body` was not called.
  /// - Throws: ``KeyIndexError``, also where the index is damaged, or ``ParquetError``.
  func run(_ queries: KeyQueries, _ body: (ByteStrings, Int, [Int32]) -> Void) async throws
    -> KeyIndexDirectory?
  {
    guard let reference = file.keyIndexReference else { return nil }
    let index = try await KeyIndexDirectory.read(reference, in: storage, at: file.path)
    guard let slots = index.places(in: file) else { return nil }
    let candidates = try await index.lookUp(queries.hashes, in: storage, at: file.path)
    var wanted = [[(rows: Range<Int>, asked: [Int32])]](repeating: [], count: file.rowGroupCount)
    var last: Int32 = -1
    for candidate in candidates {
      guard let place = slots[Int(candidate.slot)] else { continue }
      if candidate.slot != last { wanted[place.group].append((place.rows, [])) }
      last = candidate.slot
      wanted[place.group][wanted[place.group].count - 1].asked.append(queries.rows[Int(candidate.query)])
    }
    var start = 0
    let columns = try keys.columns(in: file)
    for (group, pages) in wanted.enumerated() {
      if !pages.isEmpty {
        let runs = pages.map(\.rows)
        func damaged(_ message: String) -> KeyIndexError {
          .damaged(path: file.path, offset: reference.offset, message: message)
        }
        do {
          let isPaged = try await file.forEachRun(runs, inGroup: group, columns: columns) { run, columns in
            body(try keys.keys(of: columns), start + runs[run].lowerBound, pages[run].asked)
          }
          guard isPaged else { throw damaged("its slots are not the pages of the key's columns") }
        } catch let error as ParquetError where error.code == .malformed {
          // Where it is a page that is damaged, reading them all tells.
          throw damaged("a page of the key's columns is not what the page index says: \(error.message)")
        }
      }
      start += file.rowCount(inGroup: group)
    }
    return index
  }
}

extension KeyIndexDirectory {
  /// Where each slot lies: its row group and rows within; nil for empty ones, and as a whole where the slots
  /// are not those of the file.
  func places(in file: ParquetFile) -> [(group: Int, rows: Range<Int>)?]? {
    var places: [(group: Int, rows: Range<Int>)?] = []
    var group = 0
    var row = 0
    for count in slotRows {
      guard count > 0 else {
        places.append(nil)
        continue
      }
      while group < file.rowGroupCount, row == file.rowCount(inGroup: group) {
        group += 1
        row = 0
      }
      let end = row + Int(count)
      guard group < file.rowGroupCount, end <= file.rowCount(inGroup: group) else { return nil }
      places.append((group, row..<end))
      row = end
    }
    return group + 1 >= file.rowGroupCount
      && (file.rowGroupCount == 0 || row == file.rowCount(inGroup: file.rowGroupCount - 1))
      ? places : nil
  }
}
