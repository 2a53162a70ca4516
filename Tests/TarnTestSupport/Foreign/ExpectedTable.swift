import Foundation
import TarnBytes

/// A table on the disk with what engines should read from it, so that one question has them read many tables.
public struct ExpectedTable: Sendable {
  /// The table's folder.
  public let path: String
  private let files: [String]
  private let columns: [String]
  private var answers: [JSONValue] = []

  /// - Parameters:
  ///   - path: The table's folder.
  ///   - files: Paths of its present base files, relative to the folder.
  ///   - columns: The columns to read.
  public init(path: String, files: [String], columns: [String]) {
    self.path = path
    self.files = files
    self.columns = columns
  }

  /// Expects rows, as the normal form's lines sorted as text; with a condition in SQL, only Spark is asked.
  public mutating func expect(_ lines: [String], where condition: String? = nil) throws {
    let name = "\(path)-expected-\(answers.count).jsonl"
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: name))
    answers.append(["where": condition.map { .string($0) } ?? .null, "rows": .string(name)])
  }

  fileprivate var question: JSONValue {
    [
      "table": .string(path), "files": .array(files.map { .string($0) }),
      "select": .array(columns.map { .string($0) }), "answers": .array(answers),
    ]
  }

  fileprivate static func differences(_ tables: [ExpectedTable], _ process: ForeignProcess) async throws
    -> [String]
  {
    let question = tables.map(\.question)
    let answer = try await process.ask(["do": "compare", "tables": .array(question)])
    guard let found = answer["differences"]?.elements else {
      throw ForeignError(description: "no differences are told")
    }
    return found.compactMap(\.string)
  }
}

extension ForeignReader {
  /// How tables differ from what is expected: read by hudi-rs and Daft, and their base files by pyarrow and DuckDB.
  public static func differences(_ tables: [ExpectedTable]) async throws -> [String] {
    try await ExpectedTable.differences(tables, process)
  }
}

extension Spark {
  /// How tables differ from what is expected, with and without conditions; always vectorised.
  public func differences(_ tables: [ExpectedTable]) async throws -> [String] {
    try await ExpectedTable.differences(tables, process)
  }

  /// Rows to write into one of many tables.
  public struct Write: Sendable {
    fileprivate let question: JSONValue

    /// - Parameters:
    ///   - table: The table's folder.
    ///   - lines: The rows as JSON lines.
    ///   - schema: Their columns, as `"id string, ts bigint"`.
    ///   - options: Hudi's, over ``Spark/defaultWriteOptions``.
    public init(_ table: String, _ lines: [String], schema: String, options: [String: String]) throws {
      let source = table + "-incoming.jsonl"
      try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: source))
      question = [
        "do": "write", "table": .string(table), "from": .string(source), "schema": .string(schema),
        "options": JSONValue(strings: Spark.defaultWriteOptions.merging(options) { $1 }),
      ]
    }
  }

  /// Writes into many tables, some at a time.
  public func write(_ writes: [Write]) async throws {
    _ = try await process.ask(["do": "many", "questions": .array(writes.map(\.question))])
  }
}
