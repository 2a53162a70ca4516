import CryptoStream
import Foundation
import Tarn
import TarnStorage

/// Makes a change stream, ingests it batch by batch, and shows what came of it.
@main
enum CryptoPipeline {
  static func main() async {
    do {
      guard let options = try Options(Array(CommandLine.arguments.dropFirst())) else {
        print(Options.usage)
        return
      }
      try await run(options)
    } catch let error as UsageError {
      stop("\(error)\n\(Options.usage)", status: 64)
    } catch {
      stop("\(error)", status: 1)
    }
  }

  private static func stop(_ message: String, status: Int32) -> Never {
    FileHandle.standardError.write(Data("CryptoPipeline: \(message)\n".utf8))
    exit(status)
  }

  private static func run(_ options: Options) async throws {
    let folder = OutputFolder(path: URL(fileURLWithPath: options.output).standardizedFileURL.path)
    try folder.prepare()
    let stream = CryptoStream(options.stream)
    for batch in stream.batches { try batch.write(to: folder.landing) }
    let deliveries = stream.batches.reduce(0) { $0 + $1.deliveries.count }
    let objects = stream.batches.reduce(0) { $0 + $1.objects.count }
    print(
      "\(stream.changes.count) changes, delivered as \(deliveries) records in \(objects) objects: \(folder.landing)"
    )
    if options.generatesOnly { return }

    let lake = try await Lake(options.place, folder)
    let pipeline = Pipeline(landing: lake.landing, location: lake.location)
    try await ingest(stream, pipeline)
    let end = stream.batches.last?.clock ?? 0
    let table = try await pipeline.open(at: end)
    if options.verifies { try await verify(stream, table) }
    try await show(table, lake.table)
  }

  private static func ingest(_ stream: CryptoStream, _ pipeline: Pipeline) async throws {
    print("\n" + Printing.header)
    try await pipeline.create(at: stream.options.start)
    for (number, batch) in stream.batches.enumerated() {
      let begin = ContinuousClock.now
      let report = try await pipeline.ingest(batch)
      print(Printing.line(number + 1, batch, report, ContinuousClock.now - begin))
    }
  }

  private static func verify(_ stream: CryptoStream, _ table: Table) async throws {
    var replay = Replay()
    for batch in stream.batches { replay.apply(batch) }
    print("\nverified \(try await replay.verify(table)) rows against an independent replay")
    // The sizes are chosen for the standard stream: its busiest exchange outgrows one file, and no other does.
    guard stream.options == CryptoStream.Options() else { return }
    let groups = Dictionary(grouping: try await table.snapshot().slices, by: \.partitionPath).mapValues(
      \.count)
    guard groups.values.sorted() == [1, 1, 1, 1, 1, 2] else {
      throw VerificationError("expected one of six partitions to have two file groups, not \(groups)")
    }
  }

  private static func show(_ table: Table, _ path: String) async throws {
    let snapshot = try await table.snapshot()
    let partitions = Dictionary(grouping: try await snapshot.slices, by: \.partitionPath)
    let groups = partitions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.count)" }
    print("\n\(try await snapshot.count()) rows; file groups: \(groups.joined(separator: ", "))\n")
    for line in try await Summary(of: table).lines { print(line) }

    print("\nTimeline:")
    for entry in try await table.timeline().entries {
      var line = "  \(entry.instant) \(entry.action.rawValue) \(entry.state)"
      if entry.state == .completed {
        let files = try await table.metadata(of: entry).files
        line += ", \(files.count) files, \(files.reduce(0) { $0 + $1.bytesWritten }) bytes"
      }
      print(line)
    }
    print("\nThe table is \(path)")
    for line in Commands.lines(table: path) { print(line) }
  }
}
