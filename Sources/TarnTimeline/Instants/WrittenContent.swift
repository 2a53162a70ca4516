import TarnStorage

/// What is to be put on the timeline by a decision, written beside it.
package struct WrittenContent: Sendable {
  /// Where it lies.
  package private(set) var path: String
  /// All paths at which it may lie, or may yet: puts that had no answer among them.
  package private(set) var paths: [String]
  /// Why it lies nowhere for certain; nil where it does.
  package private(set) var failure: StorageError?

  /// How many names are tried.
  private static let mostNames = 4

  /// Writes a content; where no answer comes, again under another name, since what lies at the first may change yet.
  ///
  /// - Parameters:
  ///   - instant: The decision's.
  ///   - mark: Draws the mark of a name.
  package init(
    _ bytes: [UInt8], of instant: Instant, in storage: any Storage, mark: @Sendable () -> String
  ) async {
    path = ""
    paths = []
    for _ in 0..<Self.mostNames {
      path = DecisionContent(instant, mark: mark()).path
      paths.append(path)
      do throws(StorageError) {
        try await storage.put(bytes, at: path, if: .always)
        failure = nil
        return
      } catch {
        failure = error
        guard error.code == .unknown else { return }
      }
    }
  }
}
