import TarnBytes
import TarnColumns

/// Numbers the names of attributes, fast for names that come in the same order again and again.
struct NameTable: Sendable {
  private(set) var names = ByteStrings()
  private var index = HashIndex()
  /// The name that came after each name last time, shifted by one: the first is what begins a row.
  private var successors: [Int32] = [-1]

  /// How many different names are told apart; with further ones the number is nil.
  static let limit = 10_000

  var count: Int { names.count }

  func name(_ id: Int) -> String { names.string(id) }

  /// The number of a name that comes after the name numbered `previous`, -1 at the begin of a row; an unknown
  /// name gets the next number.
  @inline(__always)
  mutating func number(of name: RawSpan, after previous: Int) -> Int? {
    let guess = Int(successors[previous &+ 1])
    if guess >= 0, names[guess].isEqual(to: name) { return guess }
    return lookUp(name, after: previous)
  }

  private mutating func lookUp(_ name: RawSpan, after previous: Int) -> Int? {
    let next = names.count
    let hash = XXH64.hash(name)
    let found = name.withUnsafeBytes { pointer in
      index.find(hash: hash) { id in
        names[id].isEqual(to: RawSpan(_unsafeBytes: pointer))
      }
    }
    if let found {
      successors[previous + 1] = Int32(found)
      return found
    }
    guard next < Self.limit, (try? names.append(name)) != nil else { return nil }
    // The name is not there, so that no position can be equal.
    _ = index.findOrInsert(hash: hash, position: next, where: { _ in false }) { names.hash($0) }
    successors.append(-1)
    successors[previous + 1] = Int32(next)
    return next
  }

  /// The number of a text, which is added where it is new.
  mutating func number(of text: String) -> Int? {
    lookUp(Array(text.utf8).span.bytes, after: -1)
  }
}
