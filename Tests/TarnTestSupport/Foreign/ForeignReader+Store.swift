import Foundation
import TarnBytes
import Testing

extension ForeignReader {
  /// How a store in the manner of S3 is reached.
  public struct Store: Sendable {
    let value: JSONValue

    /// Makes one, with the URL at which it answers and the two parts of a key.
    public init(endpoint: String, key: String, secret: String) {
      value = ["endpoint": .string(endpoint), "key": .string(key), "secret": .string(secret)]
    }
  }

  /// The rows of a table in a store as hudi-rs reads them.
  ///
  /// - Parameters:
  ///   - table: The table's URL, `s3://bucket/prefix`.
  ///   - asOf: An instant to travel to, inclusive.
  ///   - select: The columns, in this order.
  public static func hudi(
    table: String, in store: Store, asOf: String? = nil, select: [String]
  ) async throws -> [String] {
    try await process.rows { out in
      [
        "do": "hudi", "table": .string(table), "as_of": asOf.map { .string($0) }, "store": store.value,
        "select": strings(select), "out": out,
      ]
    }
  }

  /// The rows of a table in a store as Daft reads them.
  ///
  /// - Parameters:
  ///   - table: The table's URL, `s3://bucket/prefix`.
  ///   - select: The columns, in this order.
  public static func daft(table: String, in store: Store, select: [String]) async throws -> [String] {
    try await process.rows { out in
      ["do": "daft", "table": .string(table), "store": store.value, "select": strings(select), "out": out]
    }
  }

  /// The rows of a file in a store as pyarrow or DuckDB read them.
  ///
  /// - Parameters:
  ///   - file: The file's URL.
  ///   - reader: `pyarrow` or `duckdb`.
  ///   - select: The columns, in this order.
  public static func rows(
    ofFile file: String, in store: Store, by reader: String, select: [String]
  ) async throws -> [String] {
    try await process.rows { out in
      [
        "do": .string(reader), "file": .string(file), "store": store.value, "select": strings(select),
        "out": out,
      ]
    }
  }
}

/// ClickHouse as a library of Python, in one process that serves the whole test run.
///
/// It reads Hudi tables in stores in the manner of S3 alone; rows are as those of ``ForeignReader``.
public enum ClickHouse {
  private static let environment = TestWorld.root + "/.build/clickhouse"
  private static let process = ForeignProcess(
    name: "clickhouse",
    command: [environment + "/bin/python", TestWorld.root + "/Tests/Foreign/clickhouse.py"], patience: 180)

  /// Skips the test where its package is absent.
  public static func require(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try TestWorld.require(
      "ClickHouse's Python package (Tests/run prepares it)",
      FileManager.default.fileExists(atPath: environment + "/stamp"), sourceLocation: sourceLocation)
  }

  /// The rows of a table in a store.
  ///
  /// - Parameters:
  ///   - table: The table's URL, `s3://bucket/prefix`.
  ///   - select: The columns, in this order.
  public static func hudi(
    table: String, in store: ForeignReader.Store, select: [String]
  ) async throws -> [String] {
    try await process.rows { out in
      [
        "do": "hudi", "table": .string(table), "store": store.value,
        "select": ForeignReader.strings(select), "out": out,
      ]
    }
  }
}
