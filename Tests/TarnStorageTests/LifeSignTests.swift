import TarnStorage
import TarnTestSupport
import Testing

@Suite("Signs of life that storages know of")
struct LifeSignTests {
  @Test(arguments: Subject.all)
  func aSignIsHeldUntilItEndsOrGoes(_ subject: Subject) async throws {
    try await subject.run { storage in
      let signs = try #require(storage.lifeSigns)
      #expect(try await !signs.isHeld("x/sign"))
      let sign = try await signs.beginSign([1, 2], at: "x/sign")
      #expect(try await signs.isHeld("x/sign"))
      #expect(try await storage.readAll("x/sign") == [1, 2])
      #expect(await code { _ = try await signs.beginSign([3], at: "x/sign") } == .preconditionFailed)
      #expect(try await signs.isHeld("x/sign"))
      let before = try await storage.info(of: "x/sign").modified
      try await Task.sleep(for: .milliseconds(3))
      try await sign.renew()
      #expect(try await storage.info(of: "x/sign").modified > before)
      await sign.end()
      #expect(try await !storage.exists("x/sign"))
      // Ending again does not end the next one's.
      let next = try await signs.beginSign([4], at: "x/sign")
      await sign.end()
      #expect(try await signs.isHeld("x/sign"))
      await next.end()
      // One that goes without an end leaves its object, which nobody holds.
      do { withExtendedLifetime(try await signs.beginSign([5], at: "x/sign")) {} }
      #expect(try await !signs.isHeld("x/sign"))
      #expect(try await storage.exists("x/sign"))
    }
  }

  @Test(arguments: Subject.all)
  func aSignThatAnotherRemovedIsNoticed(_ subject: Subject) async throws {
    try await subject.run { storage in
      let signs = try #require(storage.lifeSigns)
      let sign = try await signs.beginSign([1], at: "sign")
      try await storage.delete("sign")
      #expect(try await !signs.isHeld("sign"))
      #expect(await code { try await sign.renew() } == .notFound)
      let next = try await signs.beginSign([2], at: "sign")
      #expect(await code { try await sign.renew() } == .notFound)
      await sign.end()
      #expect(try await signs.isHeld("sign"))
      await next.end()
    }
  }

  @Test(arguments: Subject.all)
  func aSignOfAnInvalidPathIsRefused(_ subject: Subject) async throws {
    try await subject.run { storage in
      let signs = try #require(storage.lifeSigns)
      for path in ["", "a/", "../a", "a\0", String(repeating: "n", count: 256)] {
        #expect(await code { _ = try await signs.beginSign([1], at: path) } == .invalidPath)
      }
    }
  }
}
