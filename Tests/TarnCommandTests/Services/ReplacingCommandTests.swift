import Foundation
import TarnTestSupport
import Testing

/// `tarn insert --overwrite`, `tarn delete --partition`, `tarn truncate`, `tarn cluster` and `tarn drop`.
@Suite struct ReplacingCommandTests {
  /// A table with three rows in two partitions.
  private func table(_ tool: Tool) async throws {
    try tool.write("t.jsonl", someTrades)
    try await tool.succeed(
      "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--partition-by", "exchange",
      "--small-file-limit", "0")
    try tool.write("new.jsonl", "{\"id\":9,\"exchange\":\"OKX\"}\n")
  }

  private func ids(_ tool: Tool) async throws -> [String] {
    try await tool.succeed("read", "t", "--select", "id", "--format", "jsonl").rows.sorted()
  }

  @Test func anOverwriteReplacesPartitionsOrTheTable() async throws {
    try await Tool.inFolder { tool in
      try await table(tool)
      let all = try await ids(tool)
      let planned = try await tool.succeed("insert", "t", "--overwrite", "--from", "new.jsonl", "--dry-run")
      #expect(planned.rows.count == 1 && planned.rows[0].hasPrefix("exchange=OKX/"))
      #expect(planned.errors.contains("would replace 1 files of t: 1 inserted"), "\(planned.errors)")
      #expect(try await ids(tool) == all)
      let done = try await tool.succeed("insert", "t", "--overwrite", "--from", "new.jsonl")
      #expect(done.errors.contains("overwrote in t: 1 inserted") && done.errors.contains("1 file replaced"))
      let rest = try await ids(tool)
      #expect(rest.contains("{\"id\":9}") && rest.count < all.count + 1 && rest.count > 1)
      try await tool.succeed("insert", "t", "--overwrite=table", "--from", "new.jsonl")
      #expect(try await ids(tool) == ["{\"id\":9}"])
      #expect(try await tool.run("insert", "t", "--overwrite=all", "--from", "new.jsonl").status == 64)
      #expect(try await tool.run("insert", "t", "--from", "new.jsonl", "--dry-run").status == 64)
      #expect(try await tool.succeed("check", "t").output == "sound\n")
    }
  }

  @Test func partitionsAndAllRowsAreTakenOut() async throws {
    try await Tool.inFolder { tool in
      try await table(tool)
      let planned = try await tool.succeed("delete", "t", "--partition", "exchange=OKX", "--dry-run")
      #expect(planned.rows.count == 1 && planned.rows[0].hasPrefix("exchange=OKX/"))
      #expect(planned.errors == "1 file of t would go out of the table\n")
      let done = try await tool.succeed("delete", "t", "--partition", "exchange=OKX")
      #expect(done.errors.contains("deleted partitions of t") && done.errors.contains("1 file replaced"))
      try await tool.fail(
        "delete", "t", "--partition", "exchange=No", saying: ["no partition \"exchange=No\""])
      #expect(try await tool.run("delete", "t", "--where", "id = 1", "--dry-run").status == 64)
      let left = try await ids(tool).count
      #expect(left > 0)
      #expect(try await tool.succeed("truncate", "t", "--dry-run").rows.count == 1)
      #expect(try await ids(tool).count == left)
      try await tool.succeed("truncate", "t")
      #expect(try await ids(tool) == [])
      #expect(try await tool.succeed("truncate", "t").errors.contains("nothing to commit"))
    }
  }

  @Test func filesAreClusteredAndSorted() async throws {
    try await Tool.inFolder { tool in
      try await table(tool)
      try await tool.succeed("upsert", "t", "--from", "new.jsonl")
      let all = try await ids(tool)
      try await tool.fail("cluster", "t", "--sort-by", "prize", saying: ["no column prize"])
      #expect(try await tool.run("cluster", "t", "--z-order").status == 64)
      #expect(try await tool.succeed("cluster", "t").errors.contains("nothing to commit"))
      let planned = try await tool.succeed(
        "cluster", "t", "--sort-by", "id", "--partition", "exchange=OKX", "--dry-run")
      #expect(planned.rows.count == 2 && planned.rows.allSatisfy { $0.hasPrefix("exchange=OKX/") })
      let done = try await tool.succeed("cluster", "t", "--sort-by", "id,exchange", "--z-order")
      #expect(
        done.errors.contains("clustered t") && done.errors.contains("3 files replaced"), "\(done.errors)")
      #expect(try await ids(tool) == all)
      #expect(try await tool.succeed("check", "t").output == "sound\n")
    }
  }

  @Test func aDroppedTableIsGone() async throws {
    try await Tool.inFolder { tool in
      try await table(tool)
      let planned = try await tool.succeed("drop", "t", "--dry-run")
      #expect(planned.rows.contains(".hoodie/tarn/head") && planned.errors.hasPrefix("would drop t: "))
      #expect(try await ids(tool).count == 3)
      #expect(try await tool.succeed("drop", "t").errors.hasPrefix("dropped t: "))
      try await tool.fail("read", "t", saying: ["no Hudi table"])
      try await tool.fail("drop", "t", saying: ["no Hudi table"])
      try await table(tool)
      #expect(try await ids(tool).count == 3)
    }
  }
}
