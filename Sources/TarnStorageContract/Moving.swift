import TarnStorage

extension StorageContract {
  static let moving = [
    Clause("a move takes an object from one path to another, whatever is there") { trial in
      try await trial.put([1, 2], "a/b")
      try await move(trial, "a/b", to: "a/c")
      try await trial.check(.move, paths: ["a/c"])
      try await trial.put([3], "d")
      try await move(trial, "a/c", to: "d")
      try await trial.check(.move, at: "d", holds: [1, 2])
      try await move(trial, "d", to: "new/folder/d")
      try await trial.check(.move, paths: ["new/folder/d"])
      try await trial.check(.move, at: "new/folder/d", holds: [1, 2])
    },
    Clause("an object that is placed is at its target, and is deleted where it may have stayed") { trial in
      try await trial.put([1, 2], "a/b")
      try await trial.put([3], "d")
      try await trial.need(.move, "placing of a/b at d") { try await trial.storage.place("a/b", at: "d") }
      try await trial.check(.move, at: "d", holds: [1, 2])
      _ = await trial.storage.delete(["a/b"])
      try await trial.check(.move, paths: ["d"])
      await trial.refuse(.move, .notFound, "placing of none", path: "none") {
        try await trial.storage.place("none", at: "d")
      }
      try await trial.check(.move, at: "d", holds: [1, 2])
    },
    Clause("what is gone is not moved, and what is at the target stays then") { trial in
      try await trial.fill(["target"])
      for path in ["none", "target/none", "a/b"] {
        await trial.refuse(.move, .notFound, "move of \(path)", path: path) {
          try await trial.storage.move(path, to: "target")
        }
        await trial.refuse(.move, .notFound, "move of \(path)") {
          try await trial.storage.move(path, to: "other")
        }
      }
      try await trial.check(.move, paths: ["target"])
      try await trial.check(.move, at: "target", holds: Array("target".utf8))
      for path in ["", "../a", "a/"] {
        await trial.refuse(.move, .invalidPath, "move of \"\(path)\"") {
          try await trial.storage.move(path, to: "a")
        }
        await trial.refuse(.move, .invalidPath, "move to \"\(path)\"") {
          try await trial.storage.move("target", to: path)
        }
      }
      try await trial.check(.move, paths: ["target"])
    },
    Clause("an object that many move at once is at its target, whole, and nowhere else") { trial in
      for round in 0..<5 {
        try await trial.put([UInt8(round), 7], "from")
        let won = await withTaskGroup(of: Bool.self) { group in
          for _ in 0..<6 {
            group.addTask {
              do throws(StorageError) {
                try await trial.storage.move("from", to: "to")
                return true
              } catch {
                if error.code != .notFound, error.code != .unknown {
                  trial.report(.move, expected: "notFound for who comes late", seen: Trial.text(of: error))
                }
                return error.code == .unknown
              }
            }
          }
          return await group.reduce(false) { $0 || $1 }
        }
        trial.check(.move, won, "one of them to succeed", seen: "none")
        try await trial.check(.move, at: "to", holds: [UInt8(round), 7])
        try await trial.check(.move, paths: ["to"])
      }
    },
    Clause("a cancelled task still moves") { trial in
      try await trial.put([1], "old")
      let task = Task {
        while !Task.isCancelled { await Task.yield() }
        try await move(trial, "old", to: "new")
      }
      task.cancel()
      _ = await task.result
      try await trial.check(.move, paths: ["new"])
    },
  ]

  private static func move(_ trial: Trial, _ path: String, to target: String) async throws {
    try await trial.need(.move, "move of \(path) to \(target)") {
      try await trial.storage.move(path, to: target)
    }
  }
}
