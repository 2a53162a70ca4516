import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The built command, with tables and sources in a bucket of a real server.
@Suite("The command on a real S3 server") struct CommandTests {
  private static func inPlace(_ body: (Tool, String, RealServer) async throws -> Void) async throws {
    let server = try await RealServer()
    let place = try server.location().description
    try await Tool.inFolder { tool in
      var tool = tool
      tool.environment = server.variables
      try await body(tool, place, server)
    }
  }

  @Test("Every kind of command takes a table in a bucket")
  func everyCommand() async throws {
    try await Self.inPlace { tool, place, _ in
      let table = place + "/trades"
      try tool.write("a.jsonl", #"{"id":1,"price":1.5}"# + "\n" + #"{"id":2,"price":2.5}"# + "\n")
      try tool.write("b.jsonl", #"{"id":2,"price":9.5}"# + "\n" + #"{"id":3,"price":3.5}"# + "\n")
      try await tool.succeed("upsert", table, "--from", "a.jsonl", "--create", "--key", "id")
      let first = try await tool.succeed("timeline", table)
      try await tool.succeed("upsert", table, "--from", "b.jsonl")
      try await tool.succeed("delete", table, "--key", "1")
      try await tool.succeed("update", table, "--set", "price = 4.5", "--where", "id = 3")
      let read = try await tool.succeed("read", table, "--select", "id,price")
      #expect(read.rows.sorted() == [#"{"id":2,"price":9.5}"#, #"{"id":3,"price":4.5}"#])
      let instant = try #require(first.output.firstMatch(of: /"instant":"(\d+)"/)?.1)
      let then = try await tool.succeed("read", table, "--select", "id,price", "--as-of", String(instant))
      #expect(then.rows.sorted() == [#"{"id":1,"price":1.5}"#, #"{"id":2,"price":2.5}"#])
      #expect(try await tool.succeed("count", table).output.contains("2"))
      #expect(try await tool.succeed("check", table).output.contains("sound"))
      for command in ["files", "schema", "show"] { try await tool.succeed(command, table) }
      // With a slash at its end it is the same table.
      #expect(try await tool.succeed("timeline", table + "/").rows.count == 4)
    }
  }

  @Test("Every service takes a table in a bucket")
  func everyService() async throws {
    try await Self.inPlace { tool, place, _ in
      let table = place + "/trades"
      func rows() async throws -> [String] {
        try await tool.succeed("read", table, "--select", "id,price").rows.sorted()
      }
      func instant(_ outcome: Outcome) throws -> String {
        String(try #require(outcome.errors.firstMatch(of: /instant (\d+)/)?.1))
      }
      let create = ["--create", "--key", "id", "--partition-by", "part", "--small-file-limit", "0"]
      var commits: [String] = []
      for number in 1...3 {
        try tool.write("\(number).jsonl", #"{"id":\#(number),"part":"a","price":\#(number)}"# + "\n")
        let outcome = try await tool.run(["upsert", table, "--from", "\(number).jsonl"] + create)
        try #require(outcome.status == 0, "\(outcome.errors)")
        commits.append(try instant(outcome))
      }
      let three = (1...3).map { #"{"id":\#($0),"price":\#($0)}"# }
      try await tool.succeed("savepoint", table, commits[1])
      try await tool.succeed("cluster", table, "--sort-by", "price")
      #expect(try await rows() == three)
      #expect(try await tool.succeed("clean", table, "--keep", "1versions").errors.contains("removed"))
      #expect(try await rows() == three)
      try tool.write("4.jsonl", #"{"id":4,"part":"b","price":4}"# + "\n")
      try await tool.succeed("insert", table, "--from", "4.jsonl", "--overwrite")
      #expect(try await rows() == three + [#"{"id":4,"price":4}"#])
      try await tool.succeed("rollback", table, "--completed")
      #expect(try await rows() == three)
      try await tool.succeed("restore", table, commits[1])
      #expect(try await rows() == Array(three[..<2]))
      try await tool.succeed("savepoint", table, commits[1], "--delete")
      #expect(try await tool.succeed("archive", table).errors.contains("nothing to archive"))
      try await tool.succeed("delete", table, "--partition", "part=a")
      try await tool.succeed("upsert", table, "--from", "4.jsonl")
      try await tool.succeed("truncate", table)
      #expect(try await rows() == [])
      #expect(try await tool.succeed("check", table).output == "sound\n")
      try await tool.succeed("drop", table)
      try await tool.fail("read", table, saying: ["no Hudi table"])
    }
  }

  @Test("Sources of rows and of change records come from a bucket")
  func sources() async throws {
    try await Self.inPlace { tool, place, server in
      let storage = try S3Storage(S3Location(place), client: S3Client(server.options()))
      try await storage.put(Array((#"{"id":1,"price":1.5}"# + "\n").utf8), at: "in/a b.jsonl", if: .always)
      try await tool.succeed(
        "insert", place + "/t", "--from", place + "/in/a b.jsonl", "--create", "--key", "id")
      let files = try await tool.succeed("files", place + "/t")
      let file = try #require(files.output.firstMatch(of: /[^"]*\.parquet/)?.0)
      try await tool.succeed("upsert", "local", "--from", "\(place)/t/\(file)", "--create", "--key", "id")
      try await tool.succeed("parquet", "check", "\(place)/t/\(file)")
      let record =
        #"{"eventID":"e","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"#
        + #""Keys":{"id":{"S":"k"}},"NewImage":{"id":{"S":"k"},"price":{"N":"7"}}}}"#
      for name in ["one", "more/two"] {
        try await storage.put(Array((record + "\n").utf8), at: "changes/\(name).jsonl", if: .always)
      }
      let letters = "dead-letter=\(place)/letters.jsonl"
      let refused = try await tool.run([
        "ingest", place + "/c", "--changes", place + "/changes", "--create", "--key", "id", "--on-error",
        letters,
      ])
      #expect(refused.status == 64 && refused.errors.contains("\(place)/letters.jsonl is none"))
      try await tool.succeed(
        "ingest", place + "/c", "--changes", place + "/changes", "--create", "--key", "id")
      #expect(try await tool.succeed("read", place + "/c", "--select", "id").rows == [#"{"id":"k"}"#])
      try await tool.fail(
        "upsert", place + "/t", "--from", place + "/in/none.jsonl",
        saying: ["\(place)/in/none.jsonl: there is no such object"])
    }
  }

  @Test("Requests are printed where that is asked for, and secrets never")
  func trace() async throws {
    try await Self.inPlace { tool, place, server in
      try tool.write("a.jsonl", #"{"id":1}"# + "\n")
      let traced = try await tool.succeed(
        "--trace-requests", "upsert", place + "/t", "--from", "a.jsonl", "--create", "--key", "id")
      let requests = traced.complaints.filter { $0.contains(server.endpoint) }
      #expect(
        requests.contains { $0.hasPrefix("PUT ") && $0.contains("/tarn/head 200, ") && $0.hasSuffix("try 1") }
      )
      let secret = try #require(server.variables["AWS_SECRET_ACCESS_KEY"])
      #expect(!traced.errors.contains(secret) && !traced.errors.lowercased().contains("signature"))
      let silent = try await tool.succeed("read", place + "/t")
      #expect(!silent.errors.contains(server.endpoint))
    }
  }

  @Test("What is wrong is said in one line")
  func wrongPlaces() async throws {
    try await Self.inPlace { tool, place, server in
      try await tool.fail("read", place + "/none", saying: ["there is no Hudi table"])
      try await tool.fail("read", "s3://no-such-bucket-here/t", saying: ["there is no bucket"])
      try await tool.fail("read", "s3://a b/t", saying: ["no bucket's name"])
      try await tool.fail("read", place + "/t", "--endpoint-url", "nonsense", saying: ["nonsense"])
      var stranger = tool
      stranger.environment["AWS_SECRET_ACCESS_KEY"] = "wrong"
      try await stranger.fail("read", place + "/t", saying: ["SignatureDoesNotMatch"])
      var nobody = tool
      for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] { nobody.environment[name] = "" }
      nobody.environment["AWS_EC2_METADATA_DISABLED"] = "true"
      nobody.environment["AWS_SHARED_CREDENTIALS_FILE"] = tool.path("none")
      nobody.environment["AWS_CONFIG_FILE"] = tool.path("none")
      try await nobody.fail("read", place + "/t", saying: ["AWS_ACCESS_KEY_ID"])
    }
  }

  @Test("Four processes write into one table at once, and lose nothing")
  func fourProcesses() async throws {
    try await Self.inPlace { tool, place, _ in
      let table = place + "/t"
      try tool.write("first.jsonl", #"{"id":"shared","order":0}"# + "\n")
      try await tool.succeed(
        "upsert", table, "--from", "first.jsonl", "--create", "--key", "id", "--order-by", "order")
      for process in 0..<4 {
        let lines = [#"{"id":"shared","order":\#(process + 1)}"#, #"{"id":"own \#(process)","order":1}"#]
        try tool.write("\(process).jsonl", lines.joined(separator: "\n") + "\n")
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for process in 0..<4 {
          group.addTask {
            try await tool.succeed("upsert", table, "--from", "\(process).jsonl", "--retries", "100")
          }
        }
        try await group.waitForAll()
      }
      let read = try await tool.succeed("read", table, "--select", "id,order")
      #expect(
        read.rows.sorted() == (0..<4).map { #"{"id":"own \#($0)","order":1}"# } + [
          #"{"id":"shared","order":4}"#
        ])
      #expect(try await tool.succeed("timeline", table).rows.count == 5)
      #expect(try await tool.succeed("check", table).output.contains("sound"))
    }
  }

  @Test("A process that is killed in the middle leaves all of its rows or none, and holds nobody up")
  func killed() async throws {
    try await Self.inPlace { tool, place, _ in
      let table = place + "/t"
      try tool.write("first.jsonl", #"{"id":"first","order":0}"# + "\n")
      try await tool.succeed(
        "upsert", table, "--from", "first.jsonl", "--create", "--key", "id", "--order-by", "order")
      let delays = [20, 60, 120, 200, 300]
      for (process, delay) in delays.enumerated() {
        let lines = (0..<50).map { #"{"id":"own \#(process) \#($0)","order":1}"# }
        try tool.write("\(process).jsonl", lines.joined(separator: "\n") + "\n")
        let outcome = try await tool.run(["upsert", table, "--from", "\(process).jsonl"]) { number in
          Task {
            try await Task.sleep(for: .milliseconds(delay))
            kill(number, SIGKILL)
          }
        }
        #expect(outcome.status == 0 || outcome.status == -SIGKILL, "\(outcome.errors)")
        try tool.write("next.jsonl", #"{"id":"next \#(process)","order":1}"# + "\n")
        try await tool.succeed("upsert", table, "--from", "next.jsonl", "--retries", "100")
        let rows = try await tool.succeed("read", table, "--select", "id").rows
        #expect(rows.contains(#"{"id":"next \#(process)"}"#))
        let own = rows.filter { $0.contains("own \(process) ") }.count
        #expect(own == 50 || (own == 0 && outcome.status != 0), "\(own) after \(delay) ms")
      }
    }
  }

  @Test("A process that is stopped in the middle goes on to its end, and others write meanwhile")
  func stopped() async throws {
    try await Self.inPlace { tool, place, _ in
      let table = place + "/t"
      try tool.write("first.jsonl", #"{"id":"first","order":0}"# + "\n")
      try await tool.succeed(
        "upsert", table, "--from", "first.jsonl", "--create", "--key", "id", "--order-by", "order")
      // Long enough to be taken for dead, where all of it is done.
      let pause = TestWorld.isLong ? Duration.seconds(70) : .seconds(2)
      let delays = TestWorld.isLong ? [60, 150] : [30, 60, 100, 150, 220]
      let ended = Collected()
      for (process, delay) in delays.enumerated() {
        let lines = (0..<50).map { #"{"id":"own \#(process) \#($0)","order":1}"# }
        try tool.write("\(process).jsonl", lines.joined(separator: "\n") + "\n")
        try tool.write("other \(process).jsonl", #"{"id":"other \#(process)","order":1}"# + "\n")
        let outcome = try await tool.run(["upsert", table, "--from", "\(process).jsonl", "--retries", "100"])
        {
          [tool] number in
          Task {
            try await Task.sleep(for: .milliseconds(delay))
            kill(number, SIGSTOP)
            defer {
              kill(number, SIGCONT)
              ended.add("\(process)")
            }
            let begun = ContinuousClock.now
            // It writes while the other stands still, whatever that has begun.
            try await tool.succeed("upsert", table, "--from", "other \(process).jsonl", "--retries", "100")
            try await Task.sleep(for: pause - (ContinuousClock.now - begun))
          }
        }
        #expect(outcome.status == 0, "\(outcome.errors)")
        while ended.all.count <= process { try await Task.sleep(for: .milliseconds(10)) }
      }
      let rows = try await tool.succeed("read", table, "--select", "id").rows
      #expect(Set(rows).count == rows.count)
      for process in delays.indices {
        #expect(rows.contains(#"{"id":"other \#(process)"}"#))
        #expect(
          rows.filter { $0.contains("own \(process) ") }.count == 50, "stopped after \(delays[process]) ms")
      }
      #expect(try await tool.succeed("check", table).output.contains("sound"))
    }
  }
}
