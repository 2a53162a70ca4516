/// An open-addressing table from 64-bit hashes to positions of keys that the caller keeps.
///
/// It stores no keys, so one key arena can serve a batch, a dictionary and an index at once; equality
/// is the caller's closure, which is inlined.
@frozen
public struct HashIndex: Sendable {
  /// Position plus one of each slot's key; zero for an empty slot.
  @usableFromInline var positions: [UInt32]
  /// High half of each slot's hash, to rule out most strangers without touching keys.
  @usableFromInline var tags: [UInt32]
  @usableFromInline var mask: Int
  /// Number of keys held.
  @usableFromInline var held: Int

  /// Makes a table with room for `expected` keys.
  @inlinable
  public init(expected: Int = 0) {
    var slots = 16
    while slots * 3 < expected * 4 { slots *= 2 }
    positions = [UInt32](repeating: 0, count: slots)
    tags = [UInt32](repeating: 0, count: slots)
    mask = slots - 1
    held = 0
  }

  /// Number of keys held.
  @inlinable public var count: Int { held }

  /// Forgets all keys and keeps the memory.
  public mutating func removeAll() {
    for slot in positions.indices { positions[slot] = 0 }
    held = 0
  }

  /// The position of the key with this hash for which `isEqual` holds.
  @inlinable
  public func find(hash: UInt64, where isEqual: (Int) -> Bool) -> Int? {
    let tag = UInt32(truncatingIfNeeded: hash &>> 32)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let stored = positions[slot]
      if stored == 0 { return nil }
      if tags[slot] == tag, isEqual(Int(stored) &- 1) { return Int(stored) &- 1 }
      slot = (slot &+ 1) & mask
    }
  }

  /// Finds a key, or remembers a position for it where it is not held yet.
  ///
  /// - Parameters:
  ///   - hash: The key's hash.
  ///   - position: The position to remember for a new key.
  ///   - isEqual: Whether the held key at a position is this one.
  ///   - hashOf: The hash of the held key at a position, for growing.
  /// - Returns: The position of the held key; nil where it was new.
  @inlinable
  public mutating func findOrInsert(
    hash: UInt64, position: Int, where isEqual: (Int) -> Bool, hashOf: (Int) -> UInt64
  ) -> Int? {
    if (held &+ 1) &* 4 > positions.count &* 3 { grow(hashOf) }
    let tag = UInt32(truncatingIfNeeded: hash &>> 32)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let stored = positions[slot]
      if stored == 0 {
        positions[slot] = UInt32(position &+ 1)
        tags[slot] = tag
        held &+= 1
        return nil
      }
      if tags[slot] == tag, isEqual(Int(stored) &- 1) { return Int(stored) &- 1 }
      slot = (slot &+ 1) & mask
    }
  }

  /// Lets the key at `old` be found at `new` instead; nothing happens where `old` is not held.
  @inlinable
  public mutating func move(hash: UInt64, from old: Int, to new: Int) {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while positions[slot] != 0 {
      if positions[slot] == UInt32(old &+ 1) {
        positions[slot] = UInt32(new &+ 1)
        return
      }
      slot = (slot &+ 1) & mask
    }
  }

  @usableFromInline
  mutating func grow(_ hashOf: (Int) -> UInt64) {
    let old = positions
    let slots = old.count * 2
    positions = [UInt32](repeating: 0, count: slots)
    tags = [UInt32](repeating: 0, count: slots)
    mask = slots - 1
    for stored in old where stored != 0 {
      let hash = hashOf(Int(stored) - 1)
      var slot = Int(truncatingIfNeeded: hash) & mask
      while positions[slot] != 0 { slot = (slot + 1) & mask }
      positions[slot] = stored
      tags[slot] = UInt32(truncatingIfNeeded: hash >> 32)
    }
  }
}
