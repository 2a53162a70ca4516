internal import TarnAWS
internal import TarnStorage

/// One page of `ListObjectsV2`.
struct ListingAnswer {
  /// Objects by their whole keys, in the order of the answer.
  var objects: [ObjectInfo] = []
  /// Common prefixes, whole, in the order of the answer.
  var folders: [String] = []
  /// What the next page is asked for with; nil for the last page.
  var continuation: String?

  /// - Throws: ``AnswerError`` where the bytes are no such answer.
  init(parsing bytes: [UInt8]) throws(AnswerError) {
    let tree = try AnswerError.tree(bytes, "ListBucketResult")
    let isEncoded = tree["EncodingType"]?.text.lowercased() == "url"
    for element in tree.children {
      switch element.name {
      case "Contents":
        let key = try AnswerError.key(element["Key"], isEncoded: isEncoded)
        guard let size = element["Size"].flatMap({ Int($0.text) }),
          (0...PartSizes.greatestObject).contains(size),
          let modified = element["LastModified"].flatMap({ WireTime.parse(iso: $0.text) })
        else { throw AnswerError("an object without size or time") }
        // HEAD tells a time by the second, and both are to agree.
        let seconds = modified - (modified % 1_000_000 + 1_000_000) % 1_000_000
        objects.append(
          ObjectInfo(
            path: key, size: size, tag: ObjectTag(entity: element["ETag"]?.text ?? ""), modified: seconds))
      case "CommonPrefixes":
        for prefix in element.children where prefix.name == "Prefix" {
          folders.append(try AnswerError.key(prefix, isEncoded: isEncoded))
        }
      default: break
      }
    }
    if tree["IsTruncated"]?.text == "true" {
      guard let next = tree["NextContinuationToken"]?.text, !next.isEmpty else {
        throw AnswerError("a page that is not the last and does not tell how to go on")
      }
      continuation = next
    }
  }
}

/// Why an answer is not what the protocol has.
struct AnswerError: Error {
  let what: String

  init(_ what: String) { self.what = what }

  /// The document, whose root must have a name.
  static func tree(_ bytes: [UInt8], _ names: String...) throws(AnswerError) -> XMLElement {
    do throws(XMLError) {
      let tree = try XMLElement(parsing: bytes)
      if names.contains(tree.name) { return tree }
    } catch {
      let isPage = bytes.prefix(200).contains(UInt8(ascii: "<"))
      throw AnswerError("\(isPage ? "no XML as S3 writes it" : "no XML at all") (\(error))")
    }
    throw AnswerError("no \(names.first ?? "") in it")
  }

  /// The key of an element, decoded once where the answer says that it is encoded.
  static func key(_ element: XMLElement?, isEncoded: Bool) throws(AnswerError) -> String {
    guard let text = element?.text, !text.isEmpty else { throw AnswerError("an entry without a key") }
    guard isEncoded else { return text }
    guard let key = PercentEncoding.decode(text, plusIsBlank: true) else {
      throw AnswerError("a key that is not encoded as the answer says")
    }
    return key
  }
}
