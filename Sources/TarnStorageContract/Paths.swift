import TarnStorage

extension StorageContract {
  static let paths = [
    Clause("every verb refuses an invalid path") { trial in
      let long = String(repeating: "n", count: 256)
      let invalid = [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0b", long, "a/\(long)/b",
        "a/" + String(repeating: "é", count: 128),
      ]
      for path in invalid {
        for (verb, call) in verbs(trial.storage, path) {
          await trial.refuse(
            verb, .invalidPath, "\(verb) of the path \(path.debugDescription)", path: path, call)
        }
      }
      for prefix in ["/", "../", "a//", "a/../b", "./a", "a\0", long, long + "/"] {
        await trial.refuse(.list, .invalidPath, "a listing of \(prefix.debugDescription)") {
          _ = try await trial.storage.list(
            prefix: prefix, after: nil, stoppingAtSlash: false, continuation: nil)
        }
      }
      try await trial.check(.other, paths: [])
    },
    Clause("every other path names an object of its own") { trial in
      let longest = String(repeating: "n", count: 255)
      // Two of them differ only in how Unicode composes a letter.
      let paths = [
        "...", ".a", "a/..b", "a/\(longest)", "a b", "a%2Fb", "a+b", "b\u{7f}", "e\u{301}", longest + "/a",
        "é",
        "日本/語",
      ]
      try await trial.fill(paths + ["a.b"])
      for path in paths { try await trial.check(.put, at: path, holds: Array(path.utf8)) }
      let seen = try await trial.list("a/..").paths
      trial.check(.list, "the paths below \"a/..\" to be", seen, is: ["a/..b"])
      trial.check(.list, "the paths below \"..\" to be", try await trial.list("..").paths, is: ["..."])
    },
  ]

  /// Every verb that names an object.
  private static func verbs(
    _ storage: any Storage, _ path: String
  ) -> [(ContractViolation.Verb, () async throws -> Void)] {
    [
      (.info, { _ = try await storage.info(of: path) }),
      (.get, { _ = try await storage.get(path, limit: 10) }),
      (.read, { _ = try await storage.read(path, range: 0..<1) }),
      (.put, { try await storage.put([1], at: path, if: .always) }),
      (.writer, { _ = try await storage.writer(at: path) }),
      (.delete, { if let error = await storage.delete([path]).first { throw error } }),
    ]
  }
}
