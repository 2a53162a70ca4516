import TarnS3
import TarnS3TestSupport
import TarnStorage
import TarnStorageContract
import TarnTestSupport
import Testing

/// The contract of storages, over a real server.
@Suite("The contract of storages on S3") struct ContractTests {
  @Test("A real server keeps it, with pages of several sizes", arguments: [7, 1_000])
  func realServer(pageSize: Int) async throws {
    let server = try await RealServer()
    let client = try S3Client(server.options { $0.pageSize = pageSize })
    let many = pageSize == 7 ? 40 : 1_100
    let violations = await StorageContract(many: many) {
      try S3Storage(server.location(), client: client)
    }.violations()
    for violation in violations { Issue.record("\(violation)") }
  }
}
