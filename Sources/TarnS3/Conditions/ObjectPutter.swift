internal import TarnAWS
internal import TarnStorage

/// Puts whole objects, and finds out what became of puts whose answer was lost.
struct ObjectPutter: Sendable {
  let bucket: S3Bucket

  /// Puts an object, if the condition holds.
  ///
  /// - Throws: `preconditionFailed` only where no earlier attempt of this put can be what it met; `unknown` where
  ///   nobody can tell.
  func put(
    _ body: HTTPBody, _ name: ObjectName, if condition: PutCondition, quoting: TagQuoting
  ) async throws(StorageError) -> ObjectTag {
    var call = S3Call("s3:PutObject", "PUT", name.key)
    call.changes = true
    call.repeatsConflicts = true
    call.hasChecksum = true
    call.isLong = body.count > 64 << 20
    call.body = body
    call.headers = bucket.objectHeaders
    condition.add(to: &call.headers, quoting)
    bucket.tags.forget(name.key)
    let lost: StorageError
    do throws(AWSError) {
      let answer = try await bucket.send(call)
      if let head = ObjectHead(answer.head) {
        bucket.tags.note(head.tag, of: name.key)
        return head.tag
      }
      lost = bucket.unreadable(call, path: name.path, "no ETag")
    } catch {
      switch condition.refusal(error) {
      case .notHeld: throw .unmet(condition, path: name.path)
      case .unclear:
        lost = StorageError(
          .unknown, path: name.path,
          "it was sent \(error.sending.attempts) times, and somebody was first: perhaps an earlier one of these",
          cause: error)
      case .other:
        lost = bucket.failure(error, call, path: name.path)
        guard lost.code == .unknown else { throw lost }
      }
    }
    // What is there is one's own where it is the same to the byte; but who finds nothing in an object has put nothing
    // into it that tells it from others.
    guard body.count > 0, let found = try? await ObjectReader(bucket: bucket).get(name, limit: body.count),
      body.isSame(as: found.bytes)
    else { throw lost }
    return found.tag
  }
}

/// What a refusal says of a condition.
enum ConditionRefusal {
  /// It does not hold, and did not before either.
  case notHeld
  /// It does not hold by now, perhaps through an earlier attempt of the same request.
  case unclear
  /// Nothing of conditions.
  case other
}

extension PutCondition {
  /// Writes the condition into the headers of a request.
  func add(to headers: inout HTTPHeaders, _ quoting: TagQuoting) {
    switch self {
    case .always: break
    case .ifAbsent: headers["if-none-match"] = "*"
    case .ifMatches(let tag): headers["if-match"] = quoting.text(of: tag)
    }
  }

  /// What an error says of the condition that its request had.
  func refusal(_ error: AWSError) -> ConditionRefusal {
    guard self != .always, let service = error.service else { return .other }
    switch service.status {
    // A page of a proxy says nothing of the object.
    case 412 where service.code == "PreconditionFailed" || !error.isPage: break
    // There is nothing whose tag could match.
    case 404:
      guard case .ifMatches = self, service.code == "NoSuchKey" else { return .other }
    case 200 where service.code == "PreconditionFailed": break
    default: return .other
    }
    return error.sending.earlierMayHaveArrived ? .unclear : .notHeld
  }
}

extension HTTPBody {
  /// Whether its bytes are these.
  func isSame(as bytes: [UInt8]) -> Bool {
    guard bytes.count == count else { return false }
    var rest = bytes[...]
    for piece in pieces {
      guard rest.prefix(piece.count).elementsEqual(piece) else { return false }
      rest = rest.dropFirst(piece.count)
    }
    return true
  }
}

extension S3Bucket {
  /// What new objects carry: how they are encrypted.
  var objectHeaders: HTTPHeaders {
    switch options.encryption {
    case nil: return [:]
    case .s3: return ["x-amz-server-side-encryption": "AES256"]
    case .kms(let id):
      var headers: HTTPHeaders = ["x-amz-server-side-encryption": "aws:kms"]
      if let id { headers["x-amz-server-side-encryption-aws-kms-key-id"] = id }
      return headers
    }
  }
}
