internal import TarnAWS
internal import TarnStorage

/// What the headers of an answer say of an object.
struct ObjectHead {
  let tag: ObjectTag
  /// The whole object's size; nil where the answer does not say.
  let size: Int?
  /// When it was last modified, in microseconds; nil where the answer does not say.
  let modified: Int64?
  /// The range that the answer has, where it has a part.
  let range: Range<Int>?

  /// Nil where there is no tag, which every object has.
  init?(_ head: HTTPHead) {
    guard let tag = head.headers["etag"].map({ ObjectTag(entity: $0) }), !tag.text.isEmpty else { return nil }
    self.tag = tag
    modified = head.headers["last-modified"].flatMap { WireTime.parse(header: $0) }
    if let part = head.headers["content-range"] {
      let found = Self.part(part)
      range = found?.range
      size = found?.size
    } else {
      range = nil
      size = head.headers["content-length"].flatMap { Int($0) }
        .flatMap { (0...PartSizes.greatestObject).contains($0) ? $0 : nil }
    }
  }

  /// The bytes and the whole size of `bytes 0-9/100`; nil where the text is none.
  static func part(_ text: String) -> (range: Range<Int>, size: Int?)? {
    guard text.hasPrefix("bytes "), let slash = text.firstIndex(of: "/"),
      let hyphen = text.firstIndex(of: "-"), hyphen < slash,
      let first = Int(text[text.index(text.startIndex, offsetBy: 6)..<hyphen]),
      let last = Int(text[text.index(after: hyphen)..<slash]), first >= 0, last >= first,
      last < PartSizes.greatestObject
    else { return nil }
    let size = Int(text[text.index(after: slash)...])
    if let size, size <= last || size > PartSizes.greatestObject { return nil }
    return (first..<last + 1, size)
  }
}

extension ObjectTag {
  /// The tag of an entity tag, which servers write with quotes or without.
  ///
  /// One that is marked as weak is what a proxy made of the server's own, which is what conditions need.
  init(entity text: String) {
    let text = text.hasPrefix("W/\"") ? text.dropFirst(2) : text[...]
    let isQuoted = text.utf8.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
    self.init(isQuoted ? String(text.dropFirst().dropLast()) : String(text))
  }
}
