import Foundation
import Tarn

/// Reads all columns of a table's snapshot with Tarn, and its base files with pyarrow, in turn, and compares.
struct SnapshotComparison {
  static let name = "snapshot"
  private static let bound = 0.8
  /// How often a process reads the table; the least time counts, when the files are in the system's cache.
  private static let repeats = 3

  let workshop: Workshop
  let runs: Int

  /// Runs everything, and prints the ratio with its bound.
  func run() throws {
    let data = try workshop.dataFile(of: UpsertRows())
    let table = workshop.tables + "/" + Self.name
    try? FileManager.default.removeItem(atPath: table)
    _ = try Child.run(workshop.tarn, UpsertRows().arguments(table: table, data: data))
    defer { try? FileManager.default.removeItem(atPath: table) }
    print("\(Self.name): 2,000,000 rows of 12 columns and 5 meta columns, \(runs) runs")
    let answer = workshop.tables + "/snapshot-answer"
    var best = (tarn: Double.infinity, pyarrow: Double.infinity)
    // In turn, so that a slow minute of the machine is one for all.
    for _ in 0..<runs {
      _ = try Child.run(workshop.thisProgram, ["--snapshot", table, "\(Self.repeats)", answer])
      best.tarn = min(best.tarn, try seconds(answer))
      _ = try Child.run(
        workshop.package + "/.build/python/bin/python",
        [workshop.package + "/Peers/snapshot.py", table, "\(Self.repeats)", answer])
      best.pyarrow = min(best.pyarrow, try seconds(answer))
    }
    let ratio = best.tarn / best.pyarrow
    let verdict = ratio <= Self.bound ? "" : ", MISSED"
    print(
      String(
        format: "Tarn %.3f s, pyarrow %.3f s: %.2fx of at most %.2fx\(verdict)", best.tarn, best.pyarrow,
        ratio,
        Self.bound))
  }

  private func seconds(_ answer: String) throws -> Double {
    Double(try String(contentsOfFile: answer, encoding: .utf8)) ?? .infinity
  }

  /// Reads a table's latest snapshot so many times, batch for batch.
  ///
  /// - Returns: The least time that it took, in seconds, from opening the table on.
  static func read(_ path: String, repeats: Int) async throws -> Double {
    var best = Double.infinity
    for _ in 0..<repeats {
      let begin = ContinuousClock.now
      var rows = 0
      let table = try await Table.open(at: .local(path))
      for try await batch in try await table.snapshot() { rows += batch.count }
      guard rows == 2_000_000 else { throw UsageError("\(path) has \(rows) rows") }
      best = min(best, (ContinuousClock.now - begin) / .seconds(1))
    }
    return best
  }
}
