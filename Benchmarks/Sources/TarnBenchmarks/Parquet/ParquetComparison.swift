import Foundation

/// Reads and writes one Parquet file with Tarn, pyarrow and polars in turn, and compares.
struct ParquetComparison {
  static let name = "parquet"
  private static let columnWidth = 12

  let workshop: Workshop
  let runs: Int

  /// What a library needed for a task, at best.
  private struct Best {
    var seconds = Double.infinity
    var bytes = 0
  }

  /// Runs everything, and prints the ratios with their bounds.
  func run() throws {
    let data = try workshop.dataFile(of: UpsertRows())
    print("\(Self.name): 2,000,000 rows of 12 columns (\(Workshop.size(of: data)) bytes), \(runs) runs")
    Self.line("", ["Tarn", "pyarrow", "polars", "ratio", "bound"])
    for (task, bound) in [(ParquetTask.readAll, 1.0), (.readThree, 1.2), (.write, 1.0)] {
      var best: [String: Best] = [:]
      // In turn, so that a slow minute of the machine is one for all.
      for _ in 0..<runs {
        for library in ["Tarn", "pyarrow", "polars"] {
          let found = try measure(task, library, data)
          best[library, default: Best()].seconds = min(best[library]?.seconds ?? .infinity, found.seconds)
          best[library]?.bytes = found.bytes
        }
      }
      guard let tarn = best["Tarn"], let pyarrow = best["pyarrow"], let polars = best["polars"] else {
        continue
      }
      let isPyarrow = task != .write || pyarrow.seconds <= polars.seconds
      let seconds = [tarn, pyarrow, polars].map { String(format: "%.3f s", $0.seconds) }
      Self.line(task.rawValue, seconds, tarn.seconds / (isPyarrow ? pyarrow : polars).seconds, bound)
      if task == .write {
        let sizes = [tarn, pyarrow, polars].map { String(format: "%.1f MB", Double($0.bytes) / 1e6) }
        let peer = isPyarrow ? pyarrow : polars
        Self.line("written bytes", sizes, Double(tarn.bytes) / Double(max(peer.bytes, 1)), 1.02)
      }
    }
    for task in [ParquetTask.streamRead, .streamWrite] {
      let memory = try Child.run(
        workshop.thisProgram, ["--parquet", task.rawValue, data, out, "1", answer]
      ).peakMemory
      let isWithin = memory <= 150_000_000
      Self.line(
        "\(task.rawValue) peak",
        [String(format: "%.0f MB", Double(memory) / 1e6), "", "", "", "150 MB"] + (isWithin ? [] : ["MISSED"])
      )
    }
    try? FileManager.default.removeItem(atPath: out)
  }

  private var out: String { workshop.tables + "/parquet-out.parquet" }
  private var answer: String { workshop.tables + "/parquet-answer" }

  private func measure(_ task: ParquetTask, _ library: String, _ data: String) throws -> Best {
    let words = [task.rawValue, data, out, "2", answer]
    if library == "Tarn" {
      _ = try Child.run(workshop.thisProgram, ["--parquet"] + words)
    } else {
      _ = try Child.run(
        workshop.package + "/.build/python/bin/python",
        [workshop.package + "/Peers/parquet.py", library] + words)
    }
    let text = try String(contentsOfFile: answer, encoding: .utf8)
    return Best(seconds: Double(text) ?? .infinity, bytes: Workshop.size(of: out))
  }

  private static func line(_ name: String, _ values: [String], _ ratio: Double, _ bound: Double) {
    let cells = values + [String(format: "%.2fx", ratio), String(format: "%.2fx", bound)]
    line(name, cells + (ratio <= bound ? [] : ["MISSED"]))
  }

  private static func line(_ name: String, _ cells: [String]) {
    let padded = cells.map { String(repeating: " ", count: max(columnWidth - $0.count, 1)) + $0 }
    print(name + String(repeating: " ", count: max(18 - name.count, 1)) + padded.joined())
  }
}
