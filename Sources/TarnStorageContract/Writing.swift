import TarnStorage

extension StorageContract {
  static let writing = [
    Clause("a written object appears when it is finished, whole, and not before") { trial in
      let part = [UInt8](repeating: 9, count: 100_000)
      let writer = try await trial.open("a/b")
      try await trial.need(.write, "writes of parts") {
        for _ in 0..<7 { try await writer.write(part) }
        try await writer.write([])
        try await writer.write([UInt8](repeating: 8, count: 400_000))
        try await writer.write([1])
      }
      try await trial.check(.write, at: "a/b", holds: nil)
      try await trial.check(.write, paths: [])
      let tag = try await trial.need(.finish, "finish") { try await writer.finish(if: .always) }
      await writer.abandon()
      let info = try await trial.need(.info, "info") { try await trial.storage.info(of: "a/b") }
      trial.check(.finish, "the tag to be", info.tag, is: tag)
      let expected = Array(repeating: part, count: 7).joined() + [UInt8](repeating: 8, count: 400_000) + [1]
      try await trial.check(.finish, at: "a/b", holds: Array(expected))
      await checkIsClosed(trial, writer, "that has finished")
      try await trial.check(.finish, paths: ["a/b"])
    },
    Clause("a writer that was told that nothing follows finishes as ever, or leaves nothing") { trial in
      for isFinished in [true, false] {
        let writer = try await trial.open("a")
        try await trial.need(.write, "write and end") {
          try await writer.write([UInt8](repeating: 5, count: 300_000))
          try await writer.end()
        }
        try await trial.check(.write, paths: [])
        guard isFinished else {
          await writer.abandon()
          await checkIsClosed(trial, writer, "that was abandoned")
          try await trial.check(.abandon, paths: [])
          continue
        }
        try await trial.need(.finish, "finish") { try await writer.finish(if: .ifAbsent) }
        try await trial.check(.finish, at: "a", holds: [UInt8](repeating: 5, count: 300_000))
        await checkIsClosed(trial, writer, "that has finished")
        try await trial.need(.delete, "deletion of a") { try await trial.storage.delete("a") }
      }
    },
    Clause("a writer may write nothing, and replaces what is there") { trial in
      try await trial.put([1, 2], "a")
      let writer = try await trial.open("a")
      try await trial.check(.writer, at: "a", holds: [1, 2])
      try await trial.need(.finish, "finish") { try await writer.finish(if: .always) }
      try await trial.check(.finish, at: "a", holds: [])
    },
    Clause("a writer finishes if its condition holds by then, and only then") { trial in
      let first = try await finish(trial, [1], if: .ifAbsent)
      try await trial.check(.finish, at: "a", holds: [1])
      try await refuse(trial, [2], if: .ifAbsent, "finish where something is")
      try await trial.check(.finish, at: "a", holds: [1])
      let second = try await finish(trial, [3], if: .ifMatches(first))
      try await trial.check(.finish, at: "a", holds: [3])
      try await refuse(trial, [4], if: .ifMatches(first), "finish if an old tag matches")
      try await trial.check(.finish, at: "a", holds: [3])
      // What happens while it is open counts too.
      try await refuse(trial, [5], if: .ifMatches(second), "finish after a change") {
        try await trial.put([6], "a")
      }
      try await trial.check(.finish, at: "a", holds: [6])
      try await trial.need(.delete, "deletion of a") { try await trial.storage.delete("a") }
      try await refuse(trial, [7], if: .ifAbsent, "finish where something came") {
        try await trial.put([8], "a")
      }
      try await trial.check(.finish, at: "a", holds: [8])
      try await trial.need(.delete, "deletion of a") { try await trial.storage.delete("a") }
      try await refuse(trial, [9], if: .ifMatches(second), "finish if what is gone matches")
      try await trial.check(.finish, paths: [])
    },
    Clause("an abandoned or forgotten writer leaves nothing") { trial in
      let writer = try await trial.open("a/b")
      try await trial.need(.write, "write") { try await writer.write([UInt8](repeating: 1, count: 300_000)) }
      await writer.abandon()
      await writer.abandon()
      await checkIsClosed(trial, writer, "that was abandoned")
      do {
        let forgotten = try await trial.open("a/c")
        try await trial.need(.write, "write") { try await forgotten.write([1]) }
      }
      try await trial.check(.abandon, paths: [])
    },
  ]

  /// Checks that all but `abandon()` fails, and does nothing.
  static func checkIsClosed(_ trial: Trial, _ writer: any ObjectWriter, _ which: String) async {
    await trial.refuse(.write, .closed, "write of a writer \(which)") { try await writer.write([1]) }
    await trial.refuse(.copy, .closed, "copy of a writer \(which)") {
      try await writer.copy(0..<0, of: "source", tag: nil)
    }
    await trial.refuse(.finish, .closed, "finish of a writer \(which)") {
      _ = try await writer.finish(if: .always)
    }
    await writer.abandon()
  }

  private static func finish(
    _ trial: Trial, _ bytes: [UInt8], if condition: PutCondition
  ) async throws -> ObjectTag {
    let writer = try await trial.open("a")
    try await trial.need(.write, "write") { try await writer.write(bytes) }
    return try await trial.need(.finish, "finish") { try await writer.finish(if: condition) }
  }

  private static func refuse(
    _ trial: Trial, _ bytes: [UInt8], if condition: PutCondition, _ what: String,
    after change: () async throws -> Void = {}
  ) async throws {
    let writer = try await trial.open("a")
    try await trial.need(.write, "write") { try await writer.write(bytes) }
    try await change()
    await trial.refuse(.finish, .preconditionFailed, what, path: "a") {
      _ = try await writer.finish(if: condition)
    }
    await checkIsClosed(trial, writer, "whose condition did not hold")
  }
}
