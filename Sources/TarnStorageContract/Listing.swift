import TarnStorage

extension StorageContract {
  /// In the order of their bytes: a blank, `-` and `.` come before the slash, `0` after it.
  private static let ordered = [
    ".hidden", "a b", "a-", "a.b", "a/%2F", "a/b.c", "a/b/c", "a/é", "a0", "b", "e\u{301}", "é", "日本",
  ]

  static let listing = [
    Clause("a listing has all objects, in the order of their bytes over all pages") { trial in
      try await trial.fill(ordered)
      try await trial.check(.list, paths: ordered)
      let plain = try await trial.list("")
      trial.check(.list, plain.folders.isEmpty, "no folders", seen: "\(plain.folders)")
    },
    Clause("a prefix is plain text, and no folder") { trial in
      let all = ["a/b", "a/bc", "a/bd/e", "a/c", "ab", "b"]
      try await trial.fill(all)
      let cases: [(String, [String])] = [
        ("a/b", ["a/b", "a/bc", "a/bd/e"]), ("a/", ["a/b", "a/bc", "a/bd/e", "a/c"]),
        ("a", ["a/b", "a/bc", "a/bd/e", "a/c", "ab"]), ("a/bd/", ["a/bd/e"]), ("b/", []),
        ("nothing/there", []), ("a/b/c/d", []), ("", all),
      ]
      for (prefix, expected) in cases {
        let seen = try await trial.list(prefix).paths
        trial.check(.list, "the paths below \"\(prefix)\" to be", seen, is: expected)
      }
    },
    Clause("a listing that stops at the next slash tells of each folder once") { trial in
      try await trial.fill(["a-", "a/b/1", "a/b/2", "a/b/3", "a/b/4", "a/c", "a/d/5", "a/e", "a/f/6", "a0"])
      let cases: [(String, [String], [String])] = [
        ("a/", ["a/c", "a/e"], ["a/b/", "a/d/", "a/f/"]), ("a", ["a-", "a0"], ["a/"]),
        ("", ["a-", "a0"], ["a/"]), ("a/b", [], ["a/b/"]),
        ("a/b/", ["a/b/1", "a/b/2", "a/b/3", "a/b/4"], []), ("x", [], []),
      ]
      for (prefix, objects, folders) in cases {
        let seen = try await trial.list(prefix, stopping: true)
        trial.check(.list, "the paths in \"\(prefix)\" to be", seen.paths, is: objects)
        try await check(trial, seen.folders, folders, of: prefix)
      }
    },
    Clause("a listing begins after the key that is given") { trial in
      let all = ["a", "b-", "b.", "b/1", "b/2", "b/c/3", "b/c/4", "b0", "c", "d/5"]
      try await trial.fill(all)
      for after in ["", "0", "a", "b", "b-", "b/", "b/1", "b/10", "b/c/3", "b/d", "c", "d/5", "z"] {
        let expected = all.filter { StoragePath.precedes(after, $0) }
        let seen = try await trial.list("", after: after).paths
        trial.check(.list, "the paths after \"\(after)\" to be", seen, is: expected)
        let below = try await trial.list("b/", after: after).paths
        trial.check(
          .list, "the paths in b/ after \"\(after)\" to be", below, is: expected.filter { $0.hasPrefix("b/") }
        )
      }
    },
    Clause("a listing that begins after a key and stops at slashes has the folders that hold more") { trial in
      try await trial.fill(["a", "b/1", "b/2", "b/c/3", "b/c/4", "b/d/5", "c", "d/6"])
      let cases: [(String, String, [String], [String])] = [
        ("", "", ["a", "c"], ["b/", "d/"]), ("", "a", ["c"], ["b/", "d/"]),
        ("", "b/1", ["c"], ["b/", "d/"]), ("", "b/", ["c"], ["b/", "d/"]), ("", "c", [], ["d/"]),
        ("", "d/5", [], ["d/"]), ("b/", "b/1", ["b/2"], ["b/c/", "b/d/"]),
        ("b/", "b/c/3", [], ["b/c/", "b/d/"]), ("b/", "b/c/9", [], ["b/d/"]), ("b/", "c", [], []),
      ]
      for (prefix, after, objects, folders) in cases {
        let seen = try await trial.list(prefix, after: after, stopping: true)
        trial.check(.list, "the paths in \"\(prefix)\" after \"\(after)\" to be", seen.paths, is: objects)
        // A file system may report a folder in which the listing begins, though nothing in it is left.
        let found = seen.folders.filter { folders.contains($0) || !after.hasPrefix($0) }
        try await check(trial, found, folders, of: prefix)
      }
    },
    Clause("an empty storage lists nothing") { trial in
      try await trial.check(.list, paths: [])
      let seen = try await trial.list("a", stopping: true)
      trial.check(.list, seen.paths.isEmpty && seen.folders.isEmpty, "nothing", seen: "\(seen)")
      await trial.refuse(.info, .notFound, "info of what is not there", path: "a") {
        _ = try await trial.storage.info(of: "a")
      }
    },
    Clause("a listing says of an object what info does, and many pages have all objects once") { trial in
      let names = (0..<trial.many).map { "many/\(1_000_000 + $0)" }
      try await trial.fill(names)
      let seen = try await trial.list("many/")
      trial.check(.list, "the number of objects to be", seen.paths.count, is: names.count)
      trial.check(.list, seen.paths == names, "each object once, in order", seen: "others")
      for object in seen.objects.prefix(3) {
        let info = try await trial.need(.info, "info of \(object.path)") {
          try await trial.storage.info(of: object.path)
        }
        trial.check(.info, "the info to be", info, is: object)
        trial.check(.info, "the size to be", info.size, is: object.path.utf8.count)
      }
    },
  ]

  /// Compares folders; others that a file system reports must be empty.
  private static func check(
    _ trial: Trial, _ seen: [String], _ expected: [String], of prefix: String
  ) async throws {
    var named: [String] = []
    for folder in seen {
      trial.check(.list, folder.hasSuffix("/"), "folders that end in a slash", seen: folder)
      if expected.contains(folder) {
        named.append(folder)
      } else {
        let inside = try await trial.list(folder).paths
        trial.check(.list, inside.isEmpty, "the folders \(expected) in \"\(prefix)\"", seen: "\(folder) too")
      }
    }
    trial.check(.list, "the folders in \"\(prefix)\" to be", named, is: expected)
  }
}
