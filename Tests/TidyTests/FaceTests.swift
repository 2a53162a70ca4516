import TarnTestSupport
import Testing

/// Walks what the products show to those who import them.
@Suite("Faces of the products") struct FaceHeavyTests {
  private static func face(_ text: String) -> PublicFace {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return PublicFace(SourceFile(path: "Sources/Sample/Sample.swift", lines: lines, withCode: true))
  }

  @Test("Signatures are found, of whatever is public, and no bodies")
  func signaturesAreFound() {
    let face = Self.face(
      """
      public import Money
      import Bank
      public struct Account: Sendable, Owned {
        public var coins: [Coin] { Hidden().all }
        public let first = Purse(of: Hidden.self)
        let inner: Hidden
        @inlinable public init?<C: Counter>(
          of one: One,
          two: Two = .init(Hidden.self))
          throws(Loss)
          where C.Kind == Third
        { self = Hidden() }
        func pay(_ other: Hidden) {
          switch other { case .none(let hidden): Hidden() }
        }
        package func note(_ hidden: Hidden) {}
        public enum Owner {
          case person(Person), firm
          case state(
            State)
          var text: Hidden { switch self { case .firm: Hidden() } }
        }
        public subscript(_ key: Key) -> Value? { Hidden() }
      }
      public protocol Owned {
        associatedtype Thing: Kind
        func take(_ thing: Thing) -> Taken
      }
      extension Account { public typealias Sum = Total }
      """)
    let names = face.declarations.reduce(into: Set<String>()) { $0.formUnion($1.names) }
    let expected: Set = [
      "Account", "Sendable", "Owned", "Coin", "Purse", "C", "Counter", "One", "Two", "Loss", "Kind", "Third",
      "Owner", "Person", "State", "Key", "Value", "Thing", "Taken",
    ]
    #expect(names.isSuperset(of: expected), "\(expected.subtracting(names))")
    #expect(face.imports.map(\.module) == ["Money"])
  }

  @Test("No public signature of a product names a type of a target that is none")
  func noSignatureNamesATypeOfNoProduct() throws {
    let products = try Rooms.products()
    #expect(products.isSuperset(of: ["Tarn", "TarnTimeline"]))
    // Code of which others inline more than signatures.
    let inlining: Set = ["Sources/TarnColumns/Values/ByteStrings.swift"]
    let hidden = Set(Rooms.all.map(\.name)).subtracting(products)
    let files = try TidyHeavyTests.sources().filter { $0.room != "TarnCommand" }
    let topLevelType =
      /^(?:public|package)\s+(?:final\s+|indirect\s+)*(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)/
    var owners: [String: String] = [:]
    var own: [String: Set<String>] = [:]
    for file in files {
      if hidden.contains(file.room) {
        for code in file.code where code.first?.isLetter ?? false {
          guard let match = code.firstMatch(of: topLevelType) else { continue }
          owners[String(match.1)] = file.room
        }
      } else {
        own[file.room, default: []].formUnion(FileNames(file).types)
      }
    }
    #expect(owners["JSONScanner"] == "TarnBytes" && owners["KeyIndex"] == "TarnIndex")
    for file in files where products.contains(file.room) {
      let face = PublicFace(file)
      for (module, line) in face.imports where hidden.contains(module) && !inlining.contains(file.path) {
        Issue.record("\(file.place(line))")
      }
      for declaration in face.declarations {
        for name in declaration.names.subtracting(own[file.room] ?? []) {
          if let owner = owners[name] { Issue.record("\(file.place(declaration.line)): \(name) of \(owner)") }
        }
      }
    }
  }
}
