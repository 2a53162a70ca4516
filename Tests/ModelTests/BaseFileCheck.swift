import Tarn
import TarnBytes
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Checks the base files of a commit by themselves: every page, and the key index.
struct BaseFileCheck {
  let storage: any Storage
  /// The column that has the record keys.
  let keyColumn: String

  /// What is wrong with the files of a commit; nil where nothing is.
  func problem(with instant: Instant) async throws -> String? {
    for object in try await storage.listAll(prefix: "").objects
    where object.path.hasSuffix("_\(instant.text).parquet") {
      let file = try await ParquetFile.open(storage, path: object.path, size: object.size)
      let findings = try await ParquetCheck.run(file).findings
      if let finding = findings.first { return "\(object.path): \(finding)" }
      if let problem = try await indexProblem(file) { return "\(object.path): \(problem)" }
    }
    return nil
  }

  /// Every stored key must be found in the slot that holds its row.
  private func indexProblem(_ file: ParquetFile) async throws -> String? {
    guard let text = file.keyValue(KeyIndexReference.footerKey) else { return nil }
    guard let reference = KeyIndexReference(footerText: text) else {
      return "the key index is named by \(text)"
    }
    let index = try await KeyIndexDirectory.read(reference, in: storage, at: file.path)
    guard index.slotRows.reduce(0, { $0 + Int($1) }) == file.rowCount else {
      return "the slots \(index.slotRows) do not hold \(file.rowCount) rows"
    }
    var entries: [KeyIndexEntry: Int] = [:]
    for entry in try await index.allEntries(in: storage, at: file.path) { entries[entry, default: 0] += 1 }
    var slots = index.slotRows.enumerated().flatMap {
      Array(repeating: Int32($0.offset), count: Int($0.element))
    }[...]
    let column = try file.columnIndex(keyColumn)
    for group in 0..<file.rowGroupCount {
      guard let keys = try await file.readRowGroup(group, columns: [column]).columns[0].strings else {
        return "the key column has no strings"
      }
      for row in 0..<keys.count {
        let entry = KeyIndexEntry(hash: KeyIndex.hash(of: keys[row]), slot: slots.removeFirst())
        guard let count = entries[entry], count > 0 else {
          return "key \(keys.string(row)) of slot \(entry.slot) is not in the key index"
        }
        entries[entry] = count - 1
      }
    }
    return nil
  }
}
