/// Where in a bucket a storage has its objects.
struct StorePlaces: Sendable {
  /// What the keys of all its objects begin with.
  let root: String
  /// What the keys of objects begin with that show what the store can, and go at once.
  let scratch: String
}
