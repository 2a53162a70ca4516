import TarnTimeline

func use(_ timeline: Timeline, _ log: CommitLog) async throws(TimelineError) -> [String] {
  var found: [String] = []
  for entry in timeline.commits(after: Instant("20260102030405006")) {
    let metadata = try await log.metadata(of: entry)
    found += metadata.files.compactMap(\.path)
  }
  return found
}
