internal import CCrypto

/// SHA-256, HMAC over it, and SHA-1 for names of files, by libcrypto.
///
/// Without the library there is no digest, and nothing is signed: ``AWSClient`` tells so before it sends.
package enum Digest {
  private typealias Algorithm = KeyPath<CryptoFunctions, (@convention(c) () -> OpaquePointer?)?>

  /// Whether the library is there.
  static var isAvailable: Bool { CryptoLibrary.functions != nil }

  /// SHA-256 of bytes, 32 of them.
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] { sha256(HTTPBody(bytes)) }

  /// SHA-256 of a body, piece by piece.
  package static func sha256(_ body: HTTPBody) -> [UInt8] { digest(body, \.EVP_sha256, length: 32) ?? [] }

  /// SHA-1 of a text, by which the tokens of single sign-on are named.
  static func sha1(_ text: String) -> [UInt8] { digest(HTTPBody(text), \.EVP_sha1, length: 20) ?? [] }

  private static func digest(_ body: HTTPBody, _ algorithm: Algorithm, length: Int) -> [UInt8]? {
    guard let crypto = CryptoLibrary.functions, let kind = crypto[keyPath: algorithm]?(),
      let context = crypto.EVP_MD_CTX_new?()
    else { return nil }
    defer { crypto.EVP_MD_CTX_free?(context) }
    var digest = [UInt8](repeating: 0, count: length)
    guard crypto.EVP_DigestInit_ex?(context, kind, nil) == 1 else { return nil }
    for piece in body.pieces {
      let isTaken = piece.withUnsafeBytes { crypto.EVP_DigestUpdate?(context, $0.baseAddress, $0.count) == 1 }
      guard isTaken else { return nil }
    }
    return crypto.EVP_DigestFinal_ex?(context, &digest, nil) == 1 ? digest : nil
  }

  /// HMAC-SHA-256 of a text under a key.
  package static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
    guard let crypto = CryptoLibrary.functions else { return [] }
    let message = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let result = crypto.HMAC?(
      crypto.EVP_sha256?(), key, Int32(clamping: key.count), message, message.count, &digest, &length)
    return result != nil && length == 32 ? digest : []
  }

  /// Bytes as hexadecimal digits in lower case.
  package static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }
}
