import Tarn
import TarnTestSupport
import Testing

/// Random histories which Spark goes on with.
@Suite(.serialized) struct ModelForeignTests {
  /// Only histories with several file groups, spliced files and deletions count: a hundred in a long run, else 25.
  @Test(arguments: 0..<(TestWorld.isLong ? 4 : 1))
  func sparkUpsertsIntoThemTarnSplicesThatAndAllReadAlike(block: UInt64) async throws {
    try ForeignReader.require()
    try Spark.hudi015.require()
    try await TestWorld.withTemporaryFolder { folder in
      var runs: [ModelRun] = []
      var seed = 20_000 + block * 1_000
      while runs.count < 25 {
        seed += 1
        var run = try await ModelRun(seed: seed, folder: folder + "/\(seed)")
        try await run.run(steps: 8)
        let groups = try await run.table.snapshot().slices.count
        if groups > 1, run.deletedRows > 0, run.fileCounts.spliced > 0 { runs.append(run) }
      }
      try await expectAgreement(runs, folder, "as Tarn wrote them")

      var writes: [Spark.Write] = []
      var batches: [ModelBatch] = []
      for index in runs.indices {
        batches.append(try await runs[index].sparkRows())
        writes.append(try runs[index].sparkWrite(batches[index], into: folder + "/\(runs[index].seed)"))
      }
      try await Spark.hudi015.write(writes)
      for index in runs.indices { try await runs[index].sparkUpserted(batches[index]) }
      try await expectAgreement(runs, folder, "as Spark wrote them")

      let before = runs.reduce(0) { $0 + $1.fileCounts.spliced }
      for index in runs.indices { try await runs[index].go(on: 4) }
      #expect(runs.reduce(0) { $0 + $1.fileCounts.spliced } > before + runs.count)
      try await expectAgreement(runs, folder, "as Tarn spliced them again")
    }
  }

  private func expectAgreement(_ runs: [ModelRun], _ folder: String, _ when: String) async throws {
    var tables: [ExpectedTable] = []
    for run in runs { tables.append(try await run.expected(in: folder + "/\(run.seed)")) }
    var differences = try await ForeignReader.differences(tables)
    for index in runs.indices {
      tables[index] = try await runs[index].expected(in: tables[index].path, bySpark: true)
    }
    differences += try await Spark.hudi015.differences(tables)
    #expect(differences.isEmpty, "\(when): \(differences.prefix(3))")
  }
}
