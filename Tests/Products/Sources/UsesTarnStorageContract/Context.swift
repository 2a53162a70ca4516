import TarnStorage

// What the example takes for given.
typealias MyStorage = InMemoryStorage

extension InMemoryStorage {
  convenience init(folder: String) { self.init() }
}

func newFolder() throws -> String { "folder" }
