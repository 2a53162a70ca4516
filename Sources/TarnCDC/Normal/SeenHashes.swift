/// Tells what came before from what did not, by hashes of 64 bits, up to so many of them.
///
/// Two of three million different ones are equal by chance once in four million times.
struct SeenHashes: Sendable {
  /// How many are kept, in 32 MiB; what comes beyond is compared with these alone.
  static let limit = 3 << 20

  /// The hashes, each at its place or behind it; 0 where there is none.
  private var slots = [UInt64](repeating: 0, count: 1 << 10)
  private(set) var count = 0
  /// Whether there were more than are kept.
  private(set) var isBeyond = false

  /// Whether a hash came before; it has come then.
  mutating func contains(orAdd hash: UInt64) -> Bool {
    let hash = max(hash, 1)
    var slot = Int(truncatingIfNeeded: hash & UInt64(slots.count - 1))
    while slots[slot] != 0 {
      if slots[slot] == hash { return true }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard count < Self.limit else {
      isBeyond = true
      return false
    }
    slots[slot] = hash
    count += 1
    if count > slots.count / 4 * 3, slots.count < Self.limit { grow() }
    return false
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: old.count * 2)
    for hash in old where hash != 0 {
      var slot = Int(truncatingIfNeeded: hash & UInt64(slots.count - 1))
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = hash
    }
  }
}
