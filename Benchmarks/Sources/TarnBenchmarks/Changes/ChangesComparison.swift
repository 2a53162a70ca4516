import Foundation

/// Makes columns of change records with Tarn, and what Python makes of them, in turn, and compares.
struct ChangesComparison {
  static let name = "changes"
  /// Records of about 970 bytes each.
  private static let records = 200_000
  /// Of the long file, by which the memory is told.
  private static let manyRecords = 800_000
  private static let seed: UInt64 = 17
  /// What Tarn's columns may take of the time in which orjson parses the lines, and of that in which it and boto3's
  /// TypeDeserializer make Python's values of the new images.
  private static let (parsingBound, deserializingBound) = (0.5, 0.15)
  /// What Tarn's answers to transformation events may take of the time of a Python function's, and of its memory.
  private static let (transformationBound, transformationMemory) = (0.1, 1.0)
  /// How many times the memory a file of four times the length may take.
  private static let memoryBound = 1.1
  /// How often a process does it; the least time counts, when the file is in the system's cache.
  private static let repeats = 3

  let workshop: Workshop
  let runs: Int

  /// Runs everything, and prints the ratios with their bounds.
  func run() throws {
    let (data, long) = (try dataFile(Self.records), try dataFile(Self.manyRecords))
    let bytes = Workshop.size(of: data)
    print(
      "\(Self.name): \(Self.records) records of \(bytes / Self.records) bytes, one thread, \(runs) runs")
    var columns = Measured()
    var parsing = Measured()
    var deserializing = Measured()
    var many = Measured()
    var answers = Measured()
    var functions = Measured()
    // In turn, so that a slow minute of the machine is one for all.
    for _ in 0..<runs {
      columns.take(try tarn(.columns, data, Self.records, repeats: Self.repeats))
      parsing.take(try python("parse", data, repeats: Self.repeats))
      deserializing.take(try python("deserialize", data, repeats: 1))
      many.take(try tarn(.columns, long, Self.manyRecords, repeats: 1))
      answers.take(try tarn(.transformation, data, Self.records, repeats: Self.repeats))
      functions.take(try python("transform", data, repeats: 1))
    }
    print("| | time | records a second | memory |\n| --- | --- | --- | --- |")
    for (name, measured, count) in [
      ("Tarn: bytes to columns of 12 attributes", columns, Self.records),
      ("orjson: lines to Python's objects", parsing, Self.records),
      ("orjson and TypeDeserializer: new images to Python's values", deserializing, Self.records),
      ("Tarn: a file of \(Self.manyRecords) records", many, Self.manyRecords),
      ("Tarn: transformation events answered", answers, Self.records),
      ("orjson, TypeDeserializer and base64: the same", functions, Self.records),
    ] {
      print(
        String(
          format: "| \(name) | %.3f s | %.0f | %.0f MB |", measured.seconds, Double(count) / measured.seconds,
          Double(measured.memory) / 1e6))
    }
    print("")
    tell("time against orjson", columns.seconds / parsing.seconds, Self.parsingBound)
    tell(
      "time against orjson and TypeDeserializer", columns.seconds / deserializing.seconds,
      Self.deserializingBound)
    tell(
      "memory for four times the file", Double(many.memory) / Double(columns.memory), Self.memoryBound)
    tell("transformation's time", answers.seconds / functions.seconds, Self.transformationBound)
    tell(
      "transformation's memory", Double(answers.memory) / Double(functions.memory), Self.transformationMemory)
  }

  /// The least time and the greatest memory of some processes.
  private struct Measured {
    var seconds = Double.infinity
    var memory = 0

    mutating func take(_ one: (seconds: Double, usage: Usage)) {
      seconds = min(seconds, one.seconds)
      memory = max(memory, one.usage.peakMemory)
    }
  }

  private func tell(_ what: String, _ ratio: Double, _ bound: Double) {
    let verdict = ratio <= bound ? "reached" : "**missed**"
    print(String(format: "\(what): %.2fx of at most %.2fx, \(verdict)", ratio, bound))
  }

  private func dataFile(_ count: Int) throws -> String {
    let path = workshop.data + "/changes-\(count).jsonl"
    guard !FileManager.default.fileExists(atPath: path) else { return path }
    _ = try Child.run(workshop.thisProgram, ["--make-changes", path + ".new", "\(Self.seed)", "\(count)"])
    try FileManager.default.moveItem(atPath: path + ".new", toPath: path)
    return path
  }

  private func tarn(
    _ task: ChangesTask, _ file: String, _ records: Int, repeats: Int
  ) throws -> (Double, Usage) {
    let answer = workshop.tables + "/changes-answer"
    let usage = try Child.run(
      workshop.thisProgram, ["--changes", task.rawValue, file, "\(records)", "\(repeats)", answer])
    return (try seconds(answer), usage)
  }

  private func python(_ task: String, _ file: String, repeats: Int) throws -> (Double, Usage) {
    let answer = workshop.tables + "/changes-answer"
    let usage = try Child.run(
      workshop.package + "/.build/python/bin/python",
      [workshop.package + "/Peers/changes.py", task, file, "\(Self.records)", "\(repeats)", answer])
    return (try seconds(answer), usage)
  }

  private func seconds(_ answer: String) throws -> Double {
    Double(try String(contentsOfFile: answer, encoding: .utf8)) ?? .infinity
  }
}
