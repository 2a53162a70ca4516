import TarnTimeline

extension Table {
  /// Does behind a commit what is due to keep the table in order.
  func tidying(behind report: CommitReport, on table: PresentTable) async -> CommitReport {
    await AutomaticServices(recovery: recovery, memory: services).run(behind: report, on: table.state) {
      (partitions) throws(TableError) in
      try await pack(partitions)
    }
  }

  /// How many full files one packing makes at most, so that the commit before it does not wait for long.
  private static let mostPackedFiles = 4

  /// Makes full files of the small ones of partitions, unless another writer changes one of them meanwhile.
  private func pack(_ partitions: [String]) async throws(TableError) -> CommitReport {
    // It goes with no transaction of the commit before it, and gives way where it loses.
    var table = writing(WriteOptions())
    table.settings.retries = 0
    let size = try TarnOptions(properties).targetFileSize
    let write = ClusterWrite(
      partitions: partitions, base: location.base, mostBytes: Self.mostPackedFiles * size)
    return try await table.cluster(write)
  }

  /// Runs a clustering, and tells of it.
  func cluster(_ write: ClusterWrite) async throws(TableError) -> CommitReport {
    let begun = recovery.tellBegin()
    let report = try await run(write)
    if report.instant != nil {
      recovery.tellRun(
        .cluster, at: report.instant, files: report.files, bytes: report.bytesWritten, since: begun)
    }
    return report
  }
}
