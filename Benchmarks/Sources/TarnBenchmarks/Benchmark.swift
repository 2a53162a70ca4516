/// Something that `tarn` does with data that is always the same.
///
/// A new one is a file in the folder `Benchmarks`, and an entry of ``Benchmarks/all``.
protocol Benchmark: Sendable {
  /// Its name on the command line.
  var name: String { get }
  /// What it does, for people.
  var summary: String { get }
  /// The name of its data file; it changes with the data, so that old data is not taken for new.
  var dataFile: String { get }
  /// What it may take on two cores.
  var bounds: Bounds { get }

  /// Makes the data file.
  func makeData(at path: String) async throws

  /// The arguments that `tarn` is run with; no table is there before.
  func arguments(table: String, data: String) -> [String]
}

/// What a benchmark may take.
struct Bounds: Sendable {
  var seconds: Double
  var megabytes: Double
}

/// All benchmarks.
enum Benchmarks {
  static let all: [any Benchmark] = [IngestChanges(), UpsertRows()]
}
