import Foundation

/// The figures of a benchmark's runs.
struct Figures {
  let benchmark: any Benchmark
  let runs: [Run]

  static let header = line(
    "benchmark", ["wall best", "median", "bound"], ["CPU best", "median"], ["peak memory", "bound"], "written"
  )

  /// A line for people.
  var text: String {
    let wall = runs.map(\.usage.wall).sorted()
    let processor = runs.map(\.usage.processor).sorted()
    let memory = Double(runs.map(\.usage.peakMemory).max() ?? 0) / 1e6
    let bounds = benchmark.bounds
    let isWithin = wall[0] <= bounds.seconds && memory <= bounds.megabytes
    return Self.line(
      benchmark.name,
      [Self.seconds(wall[0]), Self.seconds(Self.median(wall)), Self.seconds(bounds.seconds)],
      [Self.seconds(processor[0]), Self.seconds(Self.median(processor))],
      [Self.megabytes(memory), Self.megabytes(bounds.megabytes)],
      Self.megabytes(Double(runs[0].bytesWritten) / 1e6)) + (isWithin ? "" : "  BOUND MISSED")
  }

  private static func median(_ sorted: [Double]) -> Double {
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  private static func seconds(_ value: Double) -> String { String(format: "%.2f s", value) }
  private static func megabytes(_ value: Double) -> String { String(format: "%.0f MB", value) }

  private static func line(
    _ name: String, _ wall: [String], _ processor: [String], _ memory: [String], _ written: String
  ) -> String {
    let cells = (wall + processor + memory + [written]).map { cell in
      String(repeating: " ", count: max(13 - cell.count, 1)) + cell
    }
    return name + String(repeating: " ", count: max(16 - name.count, 1)) + cells.joined()
  }
}
