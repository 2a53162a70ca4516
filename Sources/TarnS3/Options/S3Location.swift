public import TarnStorage

/// The bucket, and the begin of keys, that a URL such as `s3://bucket/a/prefix` names.
public struct S3Location: Sendable, Hashable, CustomStringConvertible {
  /// The bucket's name, or the alias of an access point.
  public let bucket: String
  /// What all keys begin with: empty, or with a slash at its end.
  public let prefix: String

  /// Parses a URL of the schemes `s3`, `s3a` or `s3n`; a slash at its end makes no difference.
  ///
  /// A key is the text after the bucket as it stands: nothing in it is percent-encoded.
  ///
  /// - Throws: ``TarnStorage/StorageError`` with code `invalidPath` where it is no such URL, or names no bucket.
  public init(_ url: String) throws(StorageError) {
    guard let mark = url.firstRange(of: "://"), Self.schemes.contains(url[..<mark.lowerBound].lowercased())
    else { throw StorageError(.invalidPath, path: url, "it is no URL as s3://bucket/prefix") }
    let rest = url[mark.upperBound...]
    let name = rest.prefix { $0 != "/" }
    var key = rest[name.endIndex...].dropFirst()
    while key.last == "/" { key.removeLast() }
    try self.init(bucket: String(name), prefix: String(key))
  }

  /// Takes a bucket's name, and what all keys begin with up to a slash that need not be given.
  ///
  /// - Throws: ``TarnStorage/StorageError`` with code `invalidPath` where it is no bucket's name.
  public init(bucket: String, prefix: String = "") throws(StorageError) {
    if bucket.hasPrefix("arn:") || bucket.hasSuffix(".mrap") {
      throw StorageError(
        .invalidPath, path: bucket,
        "an access point over several regions, or an ARN, is no bucket of which conditions hold; "
          + "name a bucket, or the alias of an access point in one region")
    }
    guard (3...255).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isOfName),
      bucket.utf8.first != UInt8(ascii: "."), !bucket.contains("..")
    else {
      throw StorageError(
        .invalidPath, path: bucket.isEmpty ? "s3://" : bucket,
        "it is no bucket's name: give 3 to 63 letters, digits, dots and hyphens, as in s3://bucket/prefix")
    }
    guard !prefix.utf8.contains(0) else {
      throw StorageError(.invalidPath, path: prefix, "the prefix holds a NUL character; leave it out")
    }
    self.bucket = bucket
    self.prefix = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/"
  }

  /// Whether a text is a URL of one of the schemes that name S3.
  public static func isURL(_ text: String) -> Bool {
    guard let mark = text.firstRange(of: "://") else { return false }
    return schemes.contains(text[..<mark.lowerBound].lowercased())
  }

  /// The URL, without a slash at its end.
  public var description: String {
    "s3://" + bucket + (prefix.isEmpty ? "" : "/" + prefix.dropLast())
  }

  /// The schemes of URLs that name S3; Hadoop has two more of its own.
  static let schemes: Set = ["s3", "s3a", "s3n"]

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
    default: false
    }
  }
}
