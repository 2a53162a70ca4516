import TarnTimeline

/// The names of the new file groups of one writer: they share an id and count on behind it, as Hudi's do.
struct NewFileNames: Sendable {
  private let identity: Substring
  private let partitionPath: String
  private let taskNumber: Int
  private let instant: Instant

  /// - Parameter fileID: The first one's id.
  init(_ fileID: String, _ partitionPath: String, _ taskNumber: Int, _ instant: Instant) {
    identity = fileID.dropLast(2)
    self.partitionPath = partitionPath
    self.taskNumber = taskNumber
    self.instant = instant
  }

  func name(_ number: Int) -> BaseFileName {
    BaseFileName(
      fileID: "\(identity)-\(number)", writeToken: "\(taskNumber)-0-\(number)", instant: instant)
  }

  func marker(_ number: Int) -> CommitMarkers.Marker {
    CommitMarkers.Marker(.create, TablePaths.join(partitionPath, name(number).name))
  }
}
