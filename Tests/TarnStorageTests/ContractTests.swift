import TarnStorage
import TarnStorageContract
import Testing

@Suite("Contract of every storage")
struct ContractTests {
  @Test(arguments: Subject.all)
  func isKept(_ subject: Subject) async throws {
    let folder = try TemporaryFolder()
    let violations = await subject.contract(in: folder).violations()
    #expect(violations.isEmpty, "\(violations)")
    withExtendedLifetime(folder) {}
  }

  @Test(arguments: Subject.all)
  func longNamesAreRefusedInOneLineThatSaysTheirLength(_ subject: Subject) async throws {
    try await subject.run { storage in
      let long = String(repeating: "n", count: 256)
      for path in [long, "a/\(long)/b", "a/" + String(repeating: "é", count: 128)] {
        do throws(StorageError) { _ = try await storage.info(of: path) } catch {
          #expect(error.message.contains("has 256 bytes") && error.message.contains("255 at most"))
          #expect(!error.description.contains("\n") && error.description.utf8.count < 600)
        }
      }
    }
  }

  @Test(arguments: Subject.all)
  func pagesHaveThreeNamesAtMost(_ subject: Subject) async throws {
    try await subject.run { storage in
      for number in 0..<8 { try await storage.put([1], at: "a/\(number)", if: .ifAbsent) }
      let page = try await storage.list(prefix: "a", stoppingAtSlash: false, continuation: nil)
      #expect(page.paths == ["a/0", "a/1", "a/2"])
    }
  }
}
