/// A document of modest size as a tree: an error, the credentials of a role.
package struct XMLElement: Sendable, Hashable {
  /// The name, without its prefix.
  package let name: String
  /// The elements within, in their order.
  package private(set) var children: [XMLElement] = []
  /// The text within, that of elements within left out.
  package private(set) var text = ""

  /// Parses a whole document.
  ///
  /// - Throws: ``XMLError`` where it is none.
  package init(parsing bytes: [UInt8]) throws(XMLError) {
    var reader = XMLReader(bytes)
    guard case .start(let name) = try reader.next() else { throw XMLError("no element", at: 0) }
    self.name = name
    try readChildren(&reader)
    guard try reader.next() == nil else { throw XMLError("text after the end", at: bytes.count) }
  }

  private init(_ name: String, _ reader: inout XMLReader) throws(XMLError) {
    self.name = name
    try readChildren(&reader)
  }

  /// Reads up to the element's own end.
  ///
  /// The reader's limit of nesting is that of this recursion too.
  private mutating func readChildren(_ reader: inout XMLReader) throws(XMLError) {
    while let token = try reader.next() {
      switch token {
      case .start(let name): children.append(try XMLElement(name, &reader))
      case .text(let more): text += more
      case .end: return
      }
    }
  }

  /// The first element within of a name.
  package subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The first element of a name, however deep.
  package func first(_ name: String) -> XMLElement? {
    if self.name == name { return self }
    for child in children {
      if let found = child.first(name) { return found }
    }
    return nil
  }
}
