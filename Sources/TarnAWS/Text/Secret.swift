/// A text that no log, error or dump shows.
///
/// Whatever makes a text of a value that holds one, `String(describing:)`, `String(reflecting:)` and `dump`
/// among them, finds `(secret)` in its place.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The text, for those who sign and send.
  package let text: String

  /// Wraps a text.
  public init(_ text: String) { self.text = text }

  /// Never the text.
  public var description: String { "(secret)" }

  /// Never the text.
  public var debugDescription: String { "(secret)" }

  /// No children.
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
