import Foundation
import TarnBytes
import Testing

/// A real Spark session with Hudi, started at the first question and kept for the whole test run.
public struct Spark: Sendable, CustomTestStringConvertible {
  /// Spark with Hudi 0.15.0, which reads and writes table version 6.
  public static let hudi015 = Spark(version: "0.15.0")
  /// Spark with Hudi 1.2.0, which reads and writes table versions 6, 8 and 9.
  public static let hudi120 = Spark(version: "1.2.0")

  /// The versions that a test asks: both in long runs, else the one that falls to it.
  public static func versions(else one: Spark) -> [Spark] { TestWorld.isLong ? [hudi015, hudi120] : [one] }

  /// What a plain write needs: no metadata table, and no server for the timeline.
  public static let defaultWriteOptions = [
    "hoodie.metadata.enable": "false", "hoodie.embed.timeline.server": "false",
    "hoodie.upsert.shuffle.parallelism": "2", "hoodie.insert.shuffle.parallelism": "2",
    "hoodie.bulkinsert.shuffle.parallelism": "2", "hoodie.delete.shuffle.parallelism": "2",
  ]

  static let environment = TestWorld.root + "/.build/spark"
  static let hasJava: Bool = {
    let home = TestWorld.environment("JAVA_HOME").map { [$0 + "/bin"] }
    let folders = home ?? (TestWorld.environment("PATH") ?? "").split(separator: ":").map(String.init)
    return folders.contains { FileManager.default.isExecutableFile(atPath: $0 + "/java") }
  }()

  let version: String
  /// Names the session in a test's report.
  public var testDescription: String { "Hudi \(version)" }
  let bundle: String?
  let process: ForeignProcess

  init(version: String) {
    self.version = version
    let folder = TestWorld.environment("HUDI_SPARK_BUNDLES") ?? TestWorld.shared("spark")
    let path = folder.map { $0 + "/hudi-spark3.5-bundle_2.12-\(version).jar" }
    bundle = path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    process = ForeignProcess(
      name: "spark-\(version)",
      command: [Self.environment + "/bin/python", TestWorld.root + "/Tests/Foreign/spark.py", bundle ?? ""],
      patience: 300)
  }

  /// Skips the test where Spark or this version's bundle is absent.
  public func require(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try TestWorld.require(
      "Spark (Tests/run prepares it where Java and a Hudi bundle are at hand)",
      FileManager.default.fileExists(atPath: Self.environment + "/stamp"), sourceLocation: sourceLocation)
    try TestWorld.require("Java", Self.hasJava, sourceLocation: sourceLocation)
    try TestWorld.require("the bundle of Hudi \(version)", bundle != nil, sourceLocation: sourceLocation)
  }

  /// A table's rows as JSON lines, sorted by their bytes, in the form of ``ForeignReader``'s.
  ///
  /// - Parameters:
  ///   - table: The table's folder.
  ///   - options: Hudi's, such as `as.of.instant` or `hoodie.datasource.query.type`.
  ///   - condition: A condition in Spark's SQL.
  ///   - select: The columns, in this order; nil for all.
  public func read(
    _ table: String, options: [String: String] = [:], where condition: String? = nil, select: [String]? = nil
  ) async throws -> [String] {
    try await process.rows { out in
      [
        "do": "read", "table": .string(table), "options": JSONValue(strings: options),
        "where": condition.map { .string($0) }, "select": ForeignReader.strings(select), "out": out,
      ]
    }
  }

  /// Writes rows into a table.
  ///
  /// - Parameters:
  ///   - table: The table's folder.
  ///   - source: A Parquet file; or, with `schema`, a file of JSON lines.
  ///   - schema: The columns of a JSON lines file, as `"id string, ts bigint, price decimal(10,2)"`.
  ///   - options: Hudi's (`hoodie.table.name`, `hoodie.datasource.write.operation` and others); they
  ///     come over ``defaultWriteOptions``.
  ///   - mode: `append` or `overwrite`.
  public func write(
    _ table: String, from source: String, schema: String? = nil, options: [String: String],
    mode: String = "append"
  ) async throws {
    _ = try await process.ask([
      "do": "write", "table": .string(table), "from": .string(source), "schema": schema.map { .string($0) },
      "options": JSONValue(strings: Self.defaultWriteOptions.merging(options) { $1 }), "mode": .string(mode),
    ])
  }

  /// Runs a statement of Spark's SQL, such as `call show_commits(path => '..')`; values come as text.
  @discardableResult
  public func sql(_ query: String) async throws -> [[String?]] {
    let answer = try await process.ask(["do": "sql", "query": .string(query)])
    return (answer["result"]?.elements ?? []).map { row in (row.elements ?? []).map(\.string) }
  }
}
