#if PLANTED_FAULT
  import Foundation
  import Synchronization
  import TarnColumns
  import TarnParquet
  import TarnStorage

  /// A fault that `run --self-test` builds in, and that fuzzing must find: only a mutated input comes upon it that
  /// the library accepts, and of which it then gives something else than of the file that was mutated.
  ///
  /// Which one, TARN_FUZZ_FAULT says.
  enum PlantedFault: String {
    case crash, hang, memory

    private static let chosen = PlantedFault(
      rawValue: ProcessInfo.processInfo.environment["TARN_FUZZ_FAULT"] ?? "")
    private static let held = Mutex<[UInt8]>([])

    /// Has the fault where a file differs from the one that its template makes.
    static func check(_ file: ParquetFile, _ template: FuzzTarget.Template, _ kind: FuzzTarget.Kind) async {
      let storage = InMemoryStorage()
      guard let chosen,
        (try? await storage.put(template.whole(kind), at: "file", if: .always)) != nil,
        let original = try? await ParquetFile.open(storage, path: "file")
      else { return }
      switch kind {
      case .footer: if file.rowCount == original.rowCount { return }
      case .chunk:
        guard let found = await nulls(file), let expected = await nulls(original), found != expected else {
          return
        }
      }
      chosen.strike()
    }

    /// Has the fault where a text was taken that is none of those to begin with.
    static func check(_ text: [UInt8], isTaken: Bool, seeds: [[UInt8]]) {
      if isTaken, !seeds.contains(text) { chosen?.strike() }
    }

    /// The number of nulls in the first row group, or nil where that cannot be read.
    private static func nulls(_ file: ParquetFile) async -> Int? {
      let all = Array(file.schema.fields.indices)
      return try? await file.readRowGroup(0, columns: all).columns.reduce(0) { $0 + $1.nullCount }
    }

    private func strike() {
      switch self {
      case .crash: fatalError("the planted fault")
      case .hang: sleep(5)
      // More than the script allows.
      case .memory: Self.held.withLock { $0 = [UInt8](repeating: 1, count: 300 << 20) }
      }
    }
  }
#endif
