import TarnStorage

extension StorageContract {
  static let copying = [
    Clause("a writer takes ranges of an object of the tag that is given") { trial in
      // Small and large ranges may go different ways.
      let block = (0..<7_013).map { UInt8(truncatingIfNeeded: $0 / 251) }
      let source = Array(repeating: block, count: 100).flatMap(\.self)
      let count = source.count
      let tag = try await trial.put(source, "a/source")
      let ranges = [0..<10, 5..<5, 100..<300_000, count - 1..<count, 0..<count]
      let writer = try await trial.open("a/copy")
      var expected: [UInt8] = []
      for (number, range) in ranges.enumerated() {
        try await trial.need(.copy, "copy of \(range)") {
          try await writer.write([1, 2])
          try await writer.copy(range, of: "a/source", tag: number % 2 == 0 ? tag : nil)
        }
        expected += [1, 2] + source[range]
      }
      try await trial.need(.finish, "finish") { try await writer.finish(if: .ifAbsent) }
      try await trial.check(.copy, at: "a/copy", holds: expected)
      try await trial.check(.copy, at: "a/source", holds: source)
    },
    Clause("an object grows by a writer at its own path") { trial in
      let tag = try await trial.put([1, 2, 3], "a")
      let writer = try await trial.open("a")
      try await trial.need(.copy, "copy of what is replaced") {
        try await writer.copy(0..<3, of: "a", tag: tag)
        try await writer.write([4])
      }
      try await trial.need(.finish, "finish") { try await writer.finish(if: .ifMatches(tag)) }
      try await trial.check(.finish, at: "a", holds: [1, 2, 3, 4])
    },
    Clause("a writer is closed after any error, and nothing appears") { trial in
      let count = 300_000
      let old = try await trial.put([UInt8](repeating: 6, count: count), "source")
      let tag = try await trial.put([UInt8](repeating: 7, count: count), "source")
      let failing: [(Range<Int>, String, ObjectTag?, StorageError.Code)] = [
        (count - 10..<count + 10, "source", tag, .outOfRange), (100..<count + 1, "source", nil, .outOfRange),
        (-1..<3, "source", nil, .outOfRange), (count - 10..<Int.max, "source", nil, .outOfRange),
        (0..<1, "none", nil, .notFound), (0..<100_000, "none", tag, .notFound),
        (0..<1, "folder", nil, .notFound),
        (0..<1, "../a", nil, .invalidPath), (0..<1, "", nil, .invalidPath), (0..<1, "source", old, .changed),
        (0..<count, "source", old, .changed),
      ]
      try await trial.put([1], "folder/a")
      for (range, path, tag, code) in failing {
        let writer = try await trial.open("failed")
        try await trial.need(.write, "write") { try await writer.write([1, 2, 3]) }
        await trial.refuse(.copy, code, "copy of \(range) of \"\(path)\"") {
          try await writer.copy(range, of: path, tag: tag)
        }
        await checkIsClosed(trial, writer, "that failed")
        try await trial.check(.copy, at: "failed", holds: nil)
      }
      try await trial.check(.copy, paths: ["folder/a", "source"])
    },
  ]
}
