/// Strings in one arena: where each ends, after a leading zero, and all bytes.
struct StringArena: Sendable {
  var ends: [Int32] = [0]
  var bytes: [UInt8] = []

  /// Bytes that must be readable behind a dictionary's last entry.
  static let slack = 16

  /// Where the last string ends.
  var end: Int32 { ends[ends.count - 1] }

  /// Whether all strings have so many bytes.
  func haveLength(_ length: Int) -> Bool {
    for index in 1..<ends.count where Int(ends[index] &- ends[index - 1]) != length { return false }
    return true
  }
}
