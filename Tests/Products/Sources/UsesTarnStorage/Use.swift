import TarnStorage

func use(_ storage: any Storage) async throws(StorageError) -> Int {
  do { return try await storage.readAll("a/b").count } catch {
    guard error.code == .notFound else { throw error }
    return 0
  }
}

let storage: any Storage = InMemoryStorage()
