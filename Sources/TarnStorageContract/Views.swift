import TarnStorage

extension StorageContract {
  static let views = [
    Clause("a batch is the same storage, and may be settled twice") { trial in
      let batch = trial.storage.batch()
      let tag = try await trial.need(.batch, "put") { try await batch.put([1], at: "a/b", if: .ifAbsent) }
      let info = try await trial.need(.info, "info") { try await trial.storage.info(of: "a/b") }
      trial.check(.batch, "the tag to be", info.tag, is: tag)
      await trial.refuse(.batch, .preconditionFailed, "put of what must be absent") {
        try await batch.put([1], at: "a/b", if: .ifAbsent)
      }
      try await trial.need(.batch, "writing and settling") {
        let writer = try await batch.writer(at: "a/c")
        try await writer.write([2])
        try await writer.finish(if: .ifAbsent)
        try await batch.settle()
        try await batch.put([3], at: "d", if: .always)
        try await batch.delete("a/b")
        try await batch.settle()
        try await batch.settle()
        try await trial.storage.settle()
      }
      try await trial.check(.batch, paths: ["a/c", "d"])
      try await trial.check(.batch, at: "a/c", holds: [2])
    },
    Clause("a storage that waits less is the same storage") { trial in
      let hasty = trial.storage.waiting(atMost: .seconds(5))
      try await trial.need(.waiting, "put") { try await hasty.put([1], at: "a", if: .ifAbsent) }
      try await trial.check(.waiting, at: "a", holds: [1])
      try await trial.need(.waiting, "replacing and deleting") {
        try await trial.storage.put([2], at: "b", if: .always)
        try await hasty.put([3], at: "b", if: .always)
        try await hasty.delete("a")
      }
      try await trial.check(.waiting, paths: ["b"])
      trial.check(.waiting, "the costs to be", hasty.costs, is: trial.storage.costs)
    },
    Clause("a storage with a clock of its own dates objects by it") { trial in
      guard trial.storage.currentTime() != nil else { return }
      try await trial.put([1], "a")
      let info = try await trial.need(.info, "info") { try await trial.storage.info(of: "a") }
      let time = trial.storage.currentTime() ?? .min
      // Some tell whole seconds only.
      trial.check(
        .info, "an object put just now to be as old by the storage's clock: less than a minute",
        info.modified > time - 60_000_000 && info.modified < time + 60_000_000, is: true)
    },
    Clause("what stays open is still what is at its path") { trial in
      let scope = trial.storage.keepOpen()
      for number in UInt8(0)..<20 { try await trial.put([number, 7], "a/\(number)") }
      for number in Array(UInt8(0)..<20) + Array(UInt8(0)..<20) {
        let bytes = try await trial.need(.keepOpen, "reading") {
          try await trial.storage.read("a/\(number)", range: 0..<1)
        }
        trial.check(.keepOpen, "the byte to be", bytes, is: [number])
      }
      try await trial.put([5], "a/19")
      await trial.refuse(.keepOpen, .outOfRange, "reading what is now shorter") {
        _ = try await trial.storage.read("a/19", range: 1..<2)
      }
      try await trial.put([5, 6, 7], "a/19")
      let longer = try await trial.need(.keepOpen, "reading what is now longer") {
        try await trial.storage.read("a/19", range: 0..<3)
      }
      trial.check(.keepOpen, "the bytes to be", longer, is: [5, 6, 7])
      try await trial.need(.delete, "deletion") { try await trial.storage.delete("a/19") }
      await trial.refuse(.keepOpen, .notFound, "reading what is now gone") {
        _ = try await trial.storage.read("a/19", range: 0..<1)
      }
      withExtendedLifetime(scope) {}
    },
    Clause("no object is taken for what an unfinished writer left, nor a writer for a dead one") { trial in
      try await trial.fill(["a", "b/c"])
      let writer = try await trial.open("d")
      try await trial.need(.removeUnfinished, "removal of what is older than anything") {
        try await writer.write([1])
        try await trial.storage.removeUnfinished(before: .min)
        try await writer.finish(if: .ifAbsent)
      }
      try await trial.need(.removeUnfinished, "removal of all that is unfinished") {
        try await trial.storage.removeUnfinished(before: .max)
      }
      try await trial.check(.removeUnfinished, paths: ["a", "b/c", "d"])
    },
  ]
}
