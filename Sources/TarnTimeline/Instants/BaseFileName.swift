import TarnBytes

/// The name of a base file: `<file id>_<write token>_<instant>.parquet`.
///
/// Source: `FSUtils`.
public struct BaseFileName: Sendable, Hashable {
  /// The file group.
  public let fileID: String
  /// Tells apart the attempts to write the same version: three numbers, joined by `-`.
  public let writeToken: String
  /// The commit that wrote it.
  public let instant: Instant

  /// Makes a name of its parts, of which the first two must hold letters, digits and `-` alone.
  package init(fileID: String, writeToken: String, instant: Instant) {
    self.fileID = fileID
    self.writeToken = writeToken
    self.instant = instant
  }

  /// Parses a file's name, without its folder; nil for any other file.
  public init?(_ name: some StringProtocol) {
    guard name.hasSuffix(".parquet") else { return nil }
    let parts = name.dropLast(".parquet".count).split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, Self.isPart(parts[0]), Self.isPart(parts[1]), let instant = Instant(parts[2])
    else { return nil }
    self.init(fileID: String(parts[0]), writeToken: String(parts[1]), instant: instant)
  }

  /// Parses the name at the end of a path; nil for any other file.
  package init?(path: String) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    self.init(slash.map { path[path.utf8.index(after: $0)...] } ?? path[...])
  }

  private static func isPart(_ text: some StringProtocol) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d: true
        default: false
        }
      }
  }

  /// The file's name, without its folder.
  public var name: String { "\(fileID)_\(writeToken)_\(instant).parquet" }
}

/// Ids of file groups.
package enum FileID {
  /// A new id: a random UUID of version 4, which does not begin with a decimal digit, and `-0`.
  ///
  /// So none begins with eight of them, by which the file groups of a bucket index are told.
  package static func random(using generator: inout some RandomNumberGenerator) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let high: UInt64 = generator.next() | 0xa << 60
    let low: UInt64 = generator.next()
    // The version, 4, and the variant, binary 10, stand in fixed places.
    let first = (high & ~0xf000) | 0x4000
    let second = (low & ~(3 << 62)) | 1 << 63
    var out: [UInt8] = []
    for position in 0..<32 {
      if [8, 12, 16, 20].contains(position) { out.append(0x2d) }
      let half = position < 16 ? first : second
      out.append(digits[Int(half >> UInt64(60 - position % 16 * 4) & 15)])
    }
    out.append(text: "-0")
    return String(decoding: out, as: UTF8.self)
  }
}
