/// The body of a request, sent from the memory that its owner has.
public struct HTTPBody: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// The pieces in their order, none of them empty.
  package let pieces: [ArraySlice<UInt8>]
  /// Bytes in all.
  public let count: Int

  /// No body.
  public static let empty = HTTPBody([ArraySlice<UInt8>]())

  /// Takes bytes, without copying them.
  public init(_ bytes: [UInt8]) { self.init([bytes[...]]) }

  /// Takes pieces, which are sent one after the other, without copying them.
  public init(_ pieces: [ArraySlice<UInt8>]) {
    self.pieces = pieces.filter { !$0.isEmpty }
    count = self.pieces.reduce(0) { $0 + $1.count }
  }

  /// Takes a text.
  public init(_ text: String) { self.init(Array(text.utf8)) }

  /// Its size: what it holds may be secret.
  public var description: String { "\(count) bytes" }

  /// No children.
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
