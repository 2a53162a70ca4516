import Foundation

/// Runs benchmarks of `tarn` as a process, and prints what it took.
@main
enum TarnBenchmarks {
  private static let usage = """
    usage: TarnBenchmarks [NAME...] [--runs N] [--tarn PROGRAM] [--commits N]
      NAME     benchmarks to run; by default all: \(names.joined(separator: ", "))
      --runs   how often each is run (3)
      --tarn   the program to run; by default it is built from the package
      --commits  how many commits `\(LastingComparison.name)` makes (10000); it is run only where it is named
    Upserts are compared with other engines by Benchmarks/run peers, growth, many and memory: see their --help.
    """

  private static let names =
    Benchmarks.all.map(\.name) + [
      ParquetComparison.name, SnapshotComparison.name, CommitComparison.name, ServiceComparison.name,
      CodingComparison.name, ChangesComparison.name,
    ]

  static func main() async {
    do {
      try await run(Array(CommandLine.arguments.dropFirst()))
    } catch let error as UsageError {
      stop("\(error)\n\(usage)", status: 64)
    } catch {
      stop("\(error)", status: 1)
    }
  }

  private static func stop(_ message: String, status: Int32) -> Never {
    FileHandle.standardError.write(Data("TarnBenchmarks: \(message)\n".utf8))
    exit(status)
  }

  private static func run(_ arguments: [String]) async throws {
    var chosen: [any Benchmark] = []
    var runs = 3
    var comparesParquet = false
    var comparesSnapshot = false
    var comparesCommits = false
    var comparesServices = false
    var comparesCoding = false
    var comparesChanges = false
    var lasts = false
    var commits = 10_000
    var tarn: String?
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": return print(usage)
      // For this program itself: see `Workshop.dataFile(of:)`.
      case "--make":
        guard let name = rest.popFirst(), let path = rest.popFirst() else {
          throw UsageError("--make NAME PATH")
        }
        return try await benchmark(name).makeData(at: path)
      // For the comparison with other engines, in the folder `Peers`.
      case "--make-rows":
        guard let path = rest.popFirst(), rest.count == 3, let seed = rest.popFirst().flatMap(UInt64.init),
          let first = rest.popFirst().flatMap(Int.init), let count = rest.popFirst().flatMap(Int.init)
        else { throw UsageError("--make-rows PATH SEED FIRST COUNT") }
        return try await TradeRows(seed: seed, count: count, first: first).write(to: path)
      // For the same: see `ObjectTask`.
      case "--object":
        guard rest.count == 4, let task = rest.popFirst().flatMap(ObjectTask.init(rawValue:)),
          let folder = rest.popFirst(), let bytes = rest.popFirst().flatMap(Int.init),
          let answer = rest.popFirst()
        else { throw UsageError("--object TASK FOLDER BYTES ANSWER") }
        let seconds = try await task.run(folder: folder, bytes: bytes)
        return try "{\"seconds\": \(seconds)}".write(toFile: answer, atomically: false, encoding: .utf8)
      // For this program itself too: see `ParquetComparison`.
      case "--parquet":
        guard rest.count == 5, let task = rest.popFirst().flatMap(ParquetTask.init(rawValue:)),
          let file = rest.popFirst(), let out = rest.popFirst(),
          let repeats = rest.popFirst().flatMap(Int.init),
          let answer = rest.popFirst()
        else { throw UsageError("--parquet TASK FILE OUT REPEATS ANSWER") }
        let seconds = try await task.run(file: file, out: out, repeats: repeats)
        return try "\(seconds)".write(toFile: answer, atomically: false, encoding: .utf8)
      // For this program itself too: see `SnapshotComparison`.
      case "--snapshot":
        guard rest.count == 3, let table = rest.popFirst(), let repeats = rest.popFirst().flatMap(Int.init),
          let answer = rest.popFirst()
        else { throw UsageError("--snapshot TABLE REPEATS ANSWER") }
        let seconds = try await SnapshotComparison.read(table, repeats: repeats)
        return try "\(seconds)".write(toFile: answer, atomically: false, encoding: .utf8)
      // For this program itself too: see `ChangesComparison`.
      case "--make-changes":
        guard rest.count == 3, let path = rest.popFirst(), let seed = rest.popFirst().flatMap(UInt64.init),
          let count = rest.popFirst().flatMap(Int.init)
        else { throw UsageError("--make-changes PATH SEED COUNT") }
        return try ChangeRecords(seed: seed, count: count).write(to: path)
      case "--changes":
        guard rest.count == 5, let task = rest.popFirst().flatMap(ChangesTask.init(rawValue:)),
          let file = rest.popFirst(), let records = rest.popFirst().flatMap(Int.init),
          let repeats = rest.popFirst().flatMap(Int.init), let answer = rest.popFirst()
        else { throw UsageError("--changes TASK FILE RECORDS REPEATS ANSWER") }
        let seconds = try await task.run(file: file, records: records, repeats: repeats)
        return try "\(seconds)".write(toFile: answer, atomically: false, encoding: .utf8)
      case ParquetComparison.name: comparesParquet = true
      case SnapshotComparison.name: comparesSnapshot = true
      case CommitComparison.name: comparesCommits = true
      case ServiceComparison.name: comparesServices = true
      case CodingComparison.name: comparesCoding = true
      case ChangesComparison.name: comparesChanges = true
      case LastingComparison.name: lasts = true
      case "--commits":
        guard let text = rest.popFirst(), let number = Int(text), (200...1_000_000).contains(number) else {
          throw UsageError("--commits takes a number from 200 on")
        }
        commits = number
      case "--runs":
        guard let text = rest.popFirst(), let number = Int(text), (1...1_000).contains(number) else {
          throw UsageError("--runs takes a number from 1 to 1000")
        }
        runs = number
      case "--tarn":
        guard let program = rest.popFirst() else { throw UsageError("--tarn takes a program") }
        tarn = program
      case let other where other.hasPrefix("-"): throw UsageError("unknown option \(other)")
      default: chosen.append(try benchmark(argument))
      }
    }
    if lasts { try await LastingComparison.run(commits: commits) }
    let isAll =
      chosen.isEmpty && !comparesParquet && !comparesSnapshot && !comparesCommits && !comparesServices
      && !lasts && !comparesCoding && !comparesChanges
    if isAll || comparesCoding { try CodingComparison.run(runs: runs) }
    if isAll || comparesChanges { try ChangesComparison(workshop: Workshop(), runs: runs).run() }
    if isAll || comparesCommits { try await CommitComparison.run() }
    if isAll || comparesParquet { try ParquetComparison(workshop: Workshop(), runs: runs).run() }
    if isAll { chosen = Benchmarks.all }
    guard isAll || comparesSnapshot || comparesServices || !chosen.isEmpty else { return }
    let workshop = try Workshop(tarn: tarn ?? Workshop.build())
    if isAll || comparesServices { try await ServiceComparison(workshop: workshop, runs: runs).run() }
    if isAll || comparesSnapshot { try SnapshotComparison(workshop: workshop, runs: runs).run() }
    if !chosen.isEmpty { try measure(chosen, runs, workshop) }
  }

  private static func benchmark(_ name: String) throws(UsageError) -> any Benchmark {
    guard let found = Benchmarks.all.first(where: { $0.name == name }) else {
      throw UsageError("there is no benchmark \(name)")
    }
    return found
  }

  private static func measure(_ benchmarks: [any Benchmark], _ runs: Int, _ workshop: Workshop) throws {
    var lines = [Figures.header]
    for benchmark in benchmarks {
      let data = try workshop.dataFile(of: benchmark)
      print("\(benchmark.name): \(benchmark.summary) (\(Workshop.size(of: data)) bytes), \(runs) runs")
      var results: [Run] = []
      for _ in 0..<runs { results.append(try workshop.run(benchmark, data: data)) }
      lines.append(Figures(benchmark: benchmark, runs: results).text)
    }
    print("\n\(ProcessInfo.processInfo.activeProcessorCount) cores; bounds are for two")
    for line in lines { print(line) }
  }
}

/// What is wrong with the arguments.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
