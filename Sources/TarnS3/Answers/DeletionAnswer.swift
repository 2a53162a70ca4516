internal import TarnAWS

/// What `DeleteObjects` answers of each key.
struct DeletionAnswer {
  /// Why a key was not deleted.
  struct Failure {
    let code: String
    let message: String
  }

  /// Keys by their bytes: texts of other bytes, such as `é` in two forms, may be equal as strings.
  private var deleted: Set<[UInt8]> = []
  private var failed: [[UInt8]: Failure] = [:]

  /// - Throws: ``AnswerError`` where the bytes are no such answer.
  init(parsing bytes: [UInt8]) throws(AnswerError) {
    let tree = try AnswerError.tree(bytes, "DeleteResult")
    for element in tree.children {
      guard let key = (element["Key"]?.text).map({ Array($0.utf8) }) else { continue }
      switch element.name {
      case "Deleted": deleted.insert(key)
      case "Error":
        failed[key] = Failure(code: element["Code"]?.text ?? "", message: element["Message"]?.text ?? "")
      default: break
      }
    }
  }

  /// Why a key was not deleted; nil where it was, or nothing is said of it.
  func failure(of key: String) -> Failure? { failed[Array(key.utf8)] }

  /// Whether a key was deleted.
  func tellsDeletion(of key: String) -> Bool { deleted.contains(Array(key.utf8)) }

  /// The body of the request.
  ///
  /// Nil where a key cannot be written in XML.
  static func request(_ keys: [String]) -> [UInt8]? {
    var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for key in keys {
      guard isPlain(key) else { return nil }
      text += "<Object><Key>" + XMLText.escaped(key) + "</Key></Object>"
    }
    return Array((text + "</Delete>").utf8)
  }

  /// Whether XML 1.0 has all characters of a key.
  static func isPlain(_ key: String) -> Bool {
    key.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0xfffe && $0.value != 0xffff }
  }
}

/// Text within XML that a client writes.
enum XMLText {
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
