import Foundation
import TarnBytes
import Testing

/// hudi-rs, Daft, pyarrow and DuckDB, in one process that serves the whole test run.
///
/// Rows come as JSON lines in the form of `tarn read --format jsonl`, sorted by their bytes, so that
/// answers compare as text (`Tests/Foreign/rows.py` says the form).
public enum ForeignReader {
  static let environment = TestWorld.root + "/.build/python"
  static let process = ForeignProcess(
    name: "readers", command: [environment + "/bin/python", TestWorld.root + "/Tests/Foreign/readers.py"],
    patience: 180)

  /// Whether `Tests/run` has prepared the Python packages.
  public static var isThere: Bool { FileManager.default.fileExists(atPath: environment + "/stamp") }

  /// Skips the test where the Python packages are absent.
  public static func require(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try TestWorld.require(
      "the foreign readers' Python packages (Tests/run prepares them)", isThere,
      sourceLocation: sourceLocation)
  }

  /// A table's rows as hudi-rs reads them.
  ///
  /// - Parameters:
  ///   - table: The table's folder.
  ///   - asOf: An instant to travel to, inclusive.
  ///   - since: With it, only the rows changed after this instant.
  ///   - until: The last instant of such changes, inclusive.
  ///   - select: The columns, in this order; nil for all.
  ///   - filters: Conditions that all hold, each a column, a comparison and a value.
  public static func hudi(
    table: String, asOf: String? = nil, since: String? = nil, until: String? = nil, select: [String]? = nil,
    filters: [[String]]? = nil
  ) async throws -> [String] {
    try await process.rows { out in
      [
        "do": "hudi", "table": .string(table), "as_of": asOf.map { .string($0) },
        "since": since.map { .string($0) }, "until": until.map { .string($0) },
        "select": strings(select), "filters": filters.map { .array($0.compactMap(strings)) }, "out": out,
      ]
    }
  }

  /// A table's rows as Daft reads them; nil where it cannot, for one of the reasons that `readers.py` gives.
  public static func daft(table: String, select: [String]? = nil) async throws -> [String]? {
    let answer = try await process.ask(["do": "daft-lacks", "table": .string(table)])
    guard answer["lacks"]?.string == nil else { return nil }
    return try await process.rows { out in
      ["do": "daft", "table": .string(table), "select": strings(select), "out": out]
    }
  }

  /// A Parquet file's rows as pyarrow reads them.
  public static func pyarrow(file: String, select: [String]? = nil) async throws -> [String] {
    try await process.rows { out in
      ["do": "pyarrow", "file": .string(file), "select": strings(select), "out": out]
    }
  }

  /// A Parquet file's rows as DuckDB reads them.
  public static func duckdb(file: String, select: [String]? = nil) async throws -> [String] {
    try await process.rows { out in
      ["do": "duckdb", "file": .string(file), "select": strings(select), "out": out]
    }
  }

  /// The rows that DuckDB answers to a query.
  public static func duckdb(query: String) async throws -> [String] {
    try await process.rows { out in ["do": "duckdb-query", "query": .string(query), "out": out] }
  }

  /// What pyarrow says of a Parquet file: `rows`, `created_by`, `metadata`, `schema`, `leaves`, `row_groups`.
  public static func parquetInfo(file: String) async throws -> JSONValue {
    try await process.ask(["do": "parquet-info", "file": .string(file)])
  }

  /// A column for ``writeParquet(to:_:options:)``.
  public struct Column: Sendable {
    let value: JSONValue

    /// Makes a column.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - type: pyarrow's name of its type: `int32`, `string`, `bool`, `double`, `date32`, `uint64`,
    ///     `decimal128(10, 2)`, `timestamp[us, tz=UTC]`, `binary`, `list<T>`, `struct<a: T>`, `map<K, V>`.
    ///   - values: Its values: decimals as strings, dates and timestamps as ISO 8601 or as their number,
    ///     binary as base64, integers also as strings, `"NaN"`.
    ///   - nullable: Whether it may be null.
    public init(_ name: String, _ type: String, _ values: [JSONValue], nullable: Bool = true) {
      value = [
        "name": .string(name), "type": .string(type), "values": .array(values),
        "nullable": .boolean(nullable),
      ]
    }
  }

  /// Writes a Parquet file with pyarrow.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - columns: Its columns.
  ///   - options: `row_group_size`, `metadata`, and those of `pyarrow.parquet.ParquetWriter`:
  ///     `compression`, `version`, `data_page_version`, `use_dictionary`, `write_statistics` and others.
  public static func writeParquet(to path: String, _ columns: [Column], options: JSONValue = [:]) async throws
  {
    _ = try await process.ask([
      "do": "write-parquet", "out": .string(path), "columns": .array(columns.map(\.value)),
      "options": options,
    ])
  }

  /// Has pyarrow write the rows of a Parquet file anew.
  ///
  /// - Parameters:
  ///   - source: The file that it reads.
  ///   - path: The file that it writes.
  ///   - encoding: `dictionary`, `plain`, `delta`, `delta-length` or `byte-stream-split`, for the columns whose
  ///     type allows it.
  ///   - options: As for ``writeParquet(to:_:options:)``.
  public static func rewriteParquet(
    _ source: String, to path: String, encoding: String, options: JSONValue = [:]
  ) async throws {
    _ = try await process.ask([
      "do": "rewrite-parquet", "file": .string(source), "out": .string(path), "encoding": .string(encoding),
      "options": options,
    ])
  }

  static func strings(_ names: [String]?) -> JSONValue? {
    names.map { .array($0.map { .string($0) }) }
  }
}
