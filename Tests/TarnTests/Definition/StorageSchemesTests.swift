import Tarn
import TarnStorage
import Testing

/// Places of tables as text.
@Suite("Schemes of storages") struct StorageSchemesTests {
  @Test("A URL goes to the maker of its scheme, and a path to the local disk")
  func makers() async throws {
    let storage = InMemoryStorage()
    try await storage.put([1], at: "a", if: .ifAbsent)
    var schemes = StorageSchemes()
    schemes.register("Memory") { url in .storage(storage, name: url) }
    let location = try schemes.location(of: "MEMORY://x/y")
    #expect(location.name == "MEMORY://x/y")
    #expect(try await location.storage.readAll("a") == [1])
    #expect(try schemes.location(of: "a/b:c").name == "a/b:c")
    schemes.register("memory") { url in .storage(InMemoryStorage(), name: url) }
    #expect(try await !schemes.location(of: "memory://x").storage.exists("a"))
  }

  @Test("A scheme that nobody registered is refused, and what a maker throws comes out")
  func refusals() {
    struct Refused: Error {}
    var schemes = StorageSchemes()
    schemes.register("memory") { _ in throw Refused() }
    let unknown = #expect(throws: TableError.self) { try schemes.location(of: "gs://bucket/x") }
    #expect(unknown?.code == .unsupported && unknown?.message.contains("memory") == true)
    let refused = #expect(throws: TableError.self) { try schemes.location(of: "memory://x") }
    #expect(refused?.code == .storage && refused?.cause is Refused)
  }

  @Test(
    "What stands before :// is a scheme where it can be one",
    arguments: [
      ("s3://b/k", "s3" as String?), ("S3A://b", "s3a"), ("a+b.c-1://", "a+b.c-1"), ("1a://b", nil),
      ("://b", nil),
      ("a b://c", nil), ("a/b://c", nil), ("plain/path", nil), ("c:/x", nil),
    ])
  func schemes(text: String, expected: String?) { #expect(StorageSchemes.scheme(of: text) == expected) }
}
