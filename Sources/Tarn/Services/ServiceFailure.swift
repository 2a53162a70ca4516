import TarnTimeline

/// A service behind a commit that failed.
struct ServiceFailure {
  let service: ServiceWork.Service
  let error: TableError
  /// The commit, which stands.
  let commit: Instant

  /// What the commit's maker is warned of, which the observer is told, too; nothing where others were faster, who do it.
  func warnings(telling settings: TableSettings) -> [CommitWarning] {
    guard error.code != .conflict, error.code != .cancelled else { return [] }
    settings.tell(.serviceFailed(service, reason: error.message))
    return [
      CommitWarning(
        .serviceFailed,
        "commit \(commit.text) stands; the \(service.rawValue) behind it failed (\(error.message)), and is tried again behind "
          + "a later one")
    ]
  }
}
