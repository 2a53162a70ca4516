import TarnStorage

extension StorageContract {
  static let putting = [
    Clause("a put goes ahead if its condition holds, and only then") { trial in
      let storage = trial.storage
      await trial.refuse(.put, .preconditionFailed, "put if a missing object matches", path: "a") {
        try await storage.put([1], at: "a", if: .ifMatches(ObjectTag("1")))
      }
      try await trial.check(.put, at: "a", holds: nil)
      let first = try await trial.put([2], "a", if: .ifAbsent)
      await trial.refuse(.put, .preconditionFailed, "put of what must be absent", path: "a") {
        try await storage.put([3], at: "a", if: .ifAbsent)
      }
      try await trial.check(.put, at: "a", holds: [2])
      let second = try await trial.put([4], "a", if: .ifMatches(first))
      await trial.refuse(.put, .preconditionFailed, "put if an old tag matches", path: "a") {
        try await storage.put([5], at: "a", if: .ifMatches(first))
      }
      try await trial.check(.put, at: "a", holds: [4])
      try await trial.need(.delete, "deletion of a") { try await storage.delete("a") }
      await trial.refuse(.put, .preconditionFailed, "put if the tag of what is deleted matches", path: "a") {
        try await storage.put([6], at: "a", if: .ifMatches(second))
      }
      try await trial.put([7], "a", if: .ifAbsent)
      try await trial.put([8], "a", if: .always)
      try await trial.check(.put, at: "a", holds: [8])
    },
    Clause("of many who create an object at once one does") { trial in
      for round in UInt8(0)..<10 {
        try await race(.put, trial, "folder\(round)/a", round) { bytes in
          try await trial.storage.put(bytes, at: "folder\(round)/a", if: .ifAbsent)
        }
      }
    },
    Clause("of many who replace an object at once one does") { trial in
      var tag = try await trial.put([0, 0], "a", if: .ifAbsent)
      for round in UInt8(0)..<10 {
        let present = tag
        try await race(.put, trial, "a", round) { bytes in
          try await trial.storage.put(bytes, at: "a", if: .ifMatches(present))
        }
        tag = try await trial.need(.info, "info of a") { try await trial.storage.info(of: "a").tag }
      }
    },
    Clause("of many who finish an object at once one does") { trial in
      for round in UInt8(0)..<5 {
        try await race(.finish, trial, "folder\(round)/a", round) { bytes in
          let writer = try await trial.storage.writer(at: "folder\(round)/a")
          try await writer.write(bytes)
          try await writer.finish(if: .ifAbsent)
        }
      }
    },
    Clause("a cancelled task still puts and deletes, since that is how it takes back what it did") { trial in
      try await trial.put([1], "old")
      let task = Task {
        while !Task.isCancelled { await Task.yield() }
        try await trial.put([2], "new")
        let failures = await trial.storage.delete(["old"])
        trial.check(.delete, failures.isEmpty, "the deletion to succeed", seen: "\(failures)")
      }
      task.cancel()
      _ = await task.result
      try await trial.check(.put, at: "new", holds: [2])
      try await trial.check(.delete, at: "old", holds: nil)
    },
  ]

  /// Lets many write `[number, round]` to one path at once, of whom one may succeed.
  ///
  /// No two writes are alike: a tag that is a hash of the content comes back with it.
  private static func race(
    _ verb: ContractViolation.Verb, _ trial: Trial, _ path: String, _ round: UInt8,
    _ write: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws {
    let codes = await withTaskGroup(of: (UInt8, StorageError.Code?).self) { group in
      for number in UInt8(1)...8 {
        group.addTask {
          do {
            try await write([number, round])
            return (number, nil)
          } catch {
            return (number, (error as? StorageError)?.code ?? .failed)
          }
        }
      }
      return await group.reduce(into: [UInt8: StorageError.Code?]()) { $0[$1.0] = .some($1.1) }
    }
    let winners = codes.filter { $0.value == nil }.map(\.key)
    // Who does not know may have won.
    let unknown = codes.filter { $0.value == .unknown }.map(\.key)
    let isOne = winners.count == 1 || (winners.isEmpty && !unknown.isEmpty)
    trial.check(verb, isOne, "one of eight to win \(path)", seen: "\(winners.count)")
    for case let code? in codes.values {
      let isLoss = [.preconditionFailed, .unknown, .throttled].contains(code)
      trial.check(
        verb, isLoss, "the others to fail with \(StorageError.Code.preconditionFailed)", seen: "\(code)")
    }
    let bytes = try await trial.bytes(path) ?? []
    let isTheirs = bytes.count == 2 && (winners + unknown).contains(bytes[0]) && bytes[1] == round
    trial.check(verb, isTheirs, "the object of the one who won, \(winners)", seen: "\(bytes)")
  }
}
