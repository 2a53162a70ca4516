import TarnStorage

extension StorageContract {
  static let deleting = [
    Clause("deleting what is not there succeeds, and a folder is no object") { trial in
      try await trial.fill(["a/b", "a/c"])
      for path in ["a", "a/b/c", "x/y/z"] { await delete(trial, [path]) }
      await trial.refuse(.info, .notFound, "info of a folder") { _ = try await trial.storage.info(of: "a") }
      try await trial.check(.delete, paths: ["a/b", "a/c"])
      await delete(trial, ["a/b"])
      await delete(trial, ["a/b"])
      try await trial.check(.delete, paths: ["a/c"])
    },
    Clause("many are deleted at once, and others stay") { trial in
      let names = (0..<trial.many).map { "many/\($0 % 7)/\(1_000_000 + $0)" }
      try await trial.fill(names + ["many/kept", "mary"])
      await delete(trial, [])
      await delete(trial, ["many/none"] + names + ["none", names[0]])
      try await trial.check(.delete, paths: ["many/kept", "mary"])
    },
    Clause("what cannot be deleted is named, and does not keep the others") { trial in
      try await trial.fill(["a", "b/c", "d"])
      let failures = await trial.storage.delete(["a", "../b", "b/c", "", "none"])
      let seen = failures.map { "\($0.code) \($0.path)" }.sorted()
      trial.check(
        .delete, "the errors to be", seen, is: ["invalidPath ", "invalidPath ../b"])
      try await trial.check(.delete, paths: ["d"])
    },
  ]

  private static func delete(_ trial: Trial, _ paths: [String]) async {
    let failures = await trial.storage.delete(paths)
    trial.check(
      .delete, failures.isEmpty, "the deletion of \(paths.prefix(3)) to succeed", seen: "\(failures)")
  }
}
