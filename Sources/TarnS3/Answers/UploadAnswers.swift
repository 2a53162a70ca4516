internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// A part that has arrived, as the completion names it.
struct UploadedPart: Sendable {
  /// Its entity tag, as the server wrote it.
  var entityTag: String
  /// Its CRC-32, as the server wrote it.
  var checksum: String?
}

/// An upload that nobody completed or aborted yet.
struct PendingUpload {
  var key: String
  var id: String
  /// When it began, in microseconds.
  var began: Int64
}

/// Answers about uploads in parts.
enum UploadAnswers {
  /// The id that `CreateMultipartUpload` gives.
  static func id(_ bytes: [UInt8]) throws(AnswerError) -> String {
    let tree = try AnswerError.tree(bytes, "InitiateMultipartUploadResult")
    guard let id = tree["UploadId"]?.text, !id.isEmpty else { throw AnswerError("no UploadId") }
    return id
  }

  /// The part that `UploadPartCopy` made.
  static func copiedPart(_ bytes: [UInt8]) throws(AnswerError) -> UploadedPart {
    let tree = try AnswerError.tree(bytes, "CopyPartResult")
    guard let tag = tree["ETag"]?.text, !tag.isEmpty else { throw AnswerError("no ETag") }
    return UploadedPart(entityTag: tag, checksum: tree["ChecksumCRC32"]?.text)
  }

  /// The tag that `CopyObject` or `CompleteMultipartUpload` gives; nil where some servers leave it empty.
  static func tag(_ bytes: [UInt8]) throws(AnswerError) -> ObjectTag? {
    let tree = try AnswerError.tree(
      bytes, "CompleteMultipartUploadResult", "CompleteMultipartUploadResponse", "CopyObjectResult")
    return tree["ETag"].flatMap { $0.text.isEmpty ? nil : ObjectTag(entity: $0.text) }
  }

  /// The tag of an object of parts, as S3 and those who follow it make it: the MD5 of the parts' own, which are their tags
  /// where nothing is encrypted by keys of a service, and their number.
  ///
  /// - Returns: Nil where the parts' tags are none of that kind.
  static func tag(ofParts parts: [(number: Int, part: UploadedPart)]) -> ObjectTag? {
    var sums: [UInt8] = []
    for (_, part) in parts {
      let text = Array(ObjectTag(entity: part.entityTag).text.utf8)
      guard text.count == 32 else { return nil }
      for pair in stride(from: 0, to: 32, by: 2) {
        guard let byte = UInt8(String(decoding: text[pair..<pair + 2], as: UTF8.self), radix: 16) else {
          return nil
        }
        sums.append(byte)
      }
    }
    return ObjectTag("\(Digest.hex(MD5.checksum(sums.span.bytes)))-\(parts.count)")
  }

  /// The body of a completion.
  static func completion(_ parts: [(number: Int, part: UploadedPart)]) -> String {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for (number, part) in parts {
      text += "<Part><PartNumber>\(number)</PartNumber><ETag>\(XMLText.escaped(part.entityTag))</ETag>"
      if let sum = part.checksum { text += "<ChecksumCRC32>\(XMLText.escaped(sum))</ChecksumCRC32>" }
      text += "</Part>"
    }
    return text + "</CompleteMultipartUpload>"
  }

  /// One page of `ListMultipartUploads`, and where the next begins.
  static func uploads(_ bytes: [UInt8]) throws(AnswerError) -> (
    found: [PendingUpload], next: (key: String, id: String)?
  ) {
    let tree = try AnswerError.tree(bytes, "ListMultipartUploadsResult")
    let isEncoded = tree["EncodingType"]?.text.lowercased() == "url"
    var found: [PendingUpload] = []
    for element in tree.children where element.name == "Upload" {
      let key = try AnswerError.key(element["Key"], isEncoded: isEncoded)
      guard let id = element["UploadId"]?.text,
        let began = element["Initiated"].flatMap({ WireTime.parse(iso: $0.text) })
      else { throw AnswerError("an upload without id or time") }
      found.append(PendingUpload(key: key, id: id, began: began))
    }
    guard tree["IsTruncated"]?.text == "true" else { return (found, nil) }
    let key = try AnswerError.key(tree["NextKeyMarker"], isEncoded: isEncoded)
    return (found, (key, tree["NextUploadIdMarker"]?.text ?? ""))
  }
}
