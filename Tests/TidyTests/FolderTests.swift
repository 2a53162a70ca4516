import Foundation
import TarnTestSupport
import Testing

/// Walks the names that files use of one another.
@Suite("Order of the folders") struct FolderHeavyTests {
  private static let found = Result { try TidyHeavyTests.sources().map(FileNames.init) }

  private static func names() throws -> [FileNames] { try found.get() }

  /// What the files of a target use of one another.
  private static func uses(_ target: String) throws -> TargetUses {
    let below = Set(Rooms.all.first { $0.name == target }?.imports ?? [])
    let outside = try names().filter { below.contains($0.target) }
      .reduce(into: Folders.common) { $0.formUnion($1.open) }
    return TargetUses(try names().filter { $0.target == target }, outside: outside)
  }

  private static func targets() throws -> [String] { Set(try names().map(\.target)).sorted() }

  /// What the text of a sample declares and uses.
  private func sample(_ path: String, _ text: String) -> FileNames {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return FileNames(SourceFile(path: "Sources/Sample/" + path, lines: lines, withCode: true))
  }

  @Test("Types, members of extensions and initializers are found where they are used")
  func namesAreFound() {
    let file = sample(
      "Bank/Account.swift",
      """
      public import Money
      public struct Account { // struct Commented {}
        public enum Owner { case person, firm }
        var sum: Int { let local = 1; return local }
        init(sum: Int) {}
      }
      extension Bank.Counter {
        func pay(_ money: Money) { money.count(Coin(of: 1)); ledger.note(0...end) }
        public init?(open hours: Int) {}
        public func count<C: Coin>(all coins: [C]) {}
      }
      func audit() {}
      """)
    #expect(file.folder == "Bank")
    #expect(file.types == ["Account", "Owner", "audit"])
    #expect(file.own == ["Account", "Owner", "Counter"])
    #expect(file.extended.map(\.name) == ["pay", "Counter(open", "count(all", "count"])
    #expect(file.members.isSuperset(of: ["sum", "person", "Account(sum", "pay"]))
    #expect(file.open == ["Account", "Owner", "person", "count(all", "count"])
    #expect(file.imports.map(\.module) == ["Money"])
    #expect(file.dotted == ["count", "note"])
    #expect(file.calls == ["Coin(of"])
    #expect(file.uses(type: "Coin") && !file.uses(type: "Commented"))
    #expect(file.hiding.contains("local"))
  }

  @Test("Circles are found, through members of extensions and over several folders too")
  func circlesAreFound() {
    let files = [
      sample("A/One.swift", "struct One { func ask() { Two().three() } }"),
      sample("B/Two.swift", "struct Two { let four: Four }"),
      sample("B/Four.swift", "struct Four {}"),
      sample("C/Two+Three.swift", "extension Two { func three() -> One { One() } }"),
      sample("D/Five.swift", "struct Five { let one: One, two: Two }"),
    ]
    let uses = TargetUses(files)
    #expect(uses.circles.map(\.folders) == [["A", "C"]])
    #expect(TargetUses(Array(files[..<3])).circles.isEmpty)
    #expect(uses.violations(of: ["B", "A", "C", "D"]).count == 1)
    #expect(uses.violations(of: ["D", "B", "A"]).count == 3)
    #expect(TargetUses(files, outside: ["three"]).circles.isEmpty)
    #expect(uses.folders(over: 1) == ["B: 2 files"])
    #expect(uses.files(usingOver: 2) == [])
    #expect(uses.files(usingOver: 1).count == 3)
    let longer = TargetUses([
      sample("A/A.swift", "struct A { let b: B }"), sample("B/B.swift", "struct B { let c: C }"),
      sample("C/C.swift", "struct C { func go() { audit() } }"), sample("D/D.swift", "func audit() { A() }"),
    ])
    #expect(longer.circles.map(\.folders) == [["A", "B", "C", "D"]])
  }

  @Test("The folders of a target form no circle, and follow their order")
  func foldersFormNoCircle() throws {
    for target in try Self.targets() {
      let uses = try Self.uses(target)
      for circle in uses.circles { Issue.record("\(target): a circle of \(circle)") }
      guard let order = Folders.orders[target] else { continue }
      for violation in uses.violations(of: order) {
        Issue.record("\(target): against the order: \(violation)")
      }
    }
  }

  @Test("No folder has many files, and no file uses many others")
  func noFolderHasManyFiles() throws {
    for target in try Self.targets() {
      let uses = try Self.uses(target)
      #expect(uses.folders(over: Folders.mostFiles) == [], "\(target)")
      if let limit = Folders.mostUses[target] { #expect(uses.files(usingOver: limit) == [], "\(target)") }
    }
  }

  @Test("No folder of tests has many files")
  func noFolderOfTestsHasManyFiles() throws {
    let files = try SourceFile.all(below: ["Tests"], suffixes: [".swift"])
    #expect(files.contains { $0.path == "Tests/TidyTests/FolderTests.swift" })
    for (folder, inside) in Dictionary(grouping: files, by: \.folder) {
      #expect(inside.count <= Folders.mostFiles, "\(folder)")
    }
  }

  @Test("What is imported is used")
  func whatIsImportedIsUsed() throws {
    for target in try Self.targets() {
      for place in try Self.unusedImports(of: target) { Issue.record("\(place)") }
    }
  }

  @Test("What the manifest gives a target, a file of it imports")
  func whatTheManifestGivesIsImported() throws {
    for (target, below) in try Rooms.declared() {
      let imported = Set(try Self.names().filter { $0.target == target }.flatMap { $0.imports.map(\.module) })
      #expect(below.subtracting(imported) == [], "\(target)")
    }
  }

  /// Imports of modules of the package of which nothing is named.
  private static func unusedImports(of target: String) throws -> [String] {
    var found: [String] = []
    for file in try names() where file.target == target {
      for (module, line, isExported) in file.imports where !isExported {
        guard let open = try openNames(of: module) else { continue }
        if file.used(of: open.subtracting(Folders.ofCollections)).isEmpty {
          found.append("\(file.path):\(line + 1): import \(module)")
        }
      }
    }
    return found
  }

  /// What a module of the package lets others see; nil of another's.
  private static func openNames(of module: String) throws -> Set<String>? {
    let files = try names().filter { $0.target == module }
    guard files.isEmpty else { return files.reduce(into: []) { $0.formUnion($1.open) } }
    guard Rooms.all.contains(where: { $0.name == module }) else { return nil }
    if let names = Folders.ofSystemLibraries[module] { return names }
    let headers = try SourceFile.all(below: ["Sources/" + module], suffixes: [".h"], withCode: true)
    return Set(headers.flatMap { Token.all($0.code).map(\.text) })
  }
}
