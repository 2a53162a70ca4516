/// A text that equals another only where their UTF-8 bytes do.
///
/// Swift's strings equal each other where they look the same, however their accents are composed; paths and
/// keys of files do not.
@frozen
public struct ExactText: Sendable, Hashable {
  /// The text.
  public let text: String

  /// Wraps a text.
  @inlinable
  public init(_ text: String) { self.text = text }

  /// Whether the bytes are the same.
  @inlinable
  public static func == (left: ExactText, right: ExactText) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8(0xff))
  }
}
