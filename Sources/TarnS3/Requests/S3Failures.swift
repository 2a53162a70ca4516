internal import TarnAWS
internal import TarnStorage

extension S3Bucket {
  /// What became of a call that failed, in the words of the storage protocol.
  func failure(_ error: AWSError, _ call: S3Call, path: String) -> StorageError {
    func made(_ code: StorageError.Code, _ what: String) -> StorageError {
      StorageError(code, path: path, what, cause: error)
    }
    // Whatever the last attempt was told, an earlier one may have been carried out.
    if call.changes, error.mayHaveArrived {
      return made(.unknown, "nobody knows whether \(call.action) was carried out: \(error)")
    }
    switch error.kind {
    case .cancelled: return made(.cancelled, "cancelled")
    case .credentials: return made(.permissionDenied, "\(error)")
    case .otherRegion:
      let region = error.service?.region ?? ""
      return made(
        .failed, "the bucket \(address.bucket) is in the region \(region), and could not be asked there")
    case .refused: break
    default: return made(.failed, "\(error)")
    }
    guard let service = error.service else { return made(.failed, "\(error)") }
    if let what = foreignAnswer(service, call, error) { return made(.failed, what) }
    switch service.code {
    case "NoSuchBucket": return made(.failed, "there is no bucket \(address.name)")
    case "KeyTooLongError": return made(.invalidPath, "the key is too long for the store: \(service)")
    case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull": return made(.noSpace, "\(service)")
    case "InvalidRange": return made(.outOfRange, "\(service)")
    case "ConditionalRequestConflict", "OperationAborted":
      return made(.throttled, "other writers are at it at the same moment; try again (\(service))")
    default: break
    }
    switch service.status {
    case 404:
      // What does not name the reason may be something before the store, which knows nothing of the object; only an
      // answer to HEAD has no room for it.
      guard call.method == "HEAD" || !service.code.isEmpty else {
        return made(
          .failed,
          "\(address.name) answered that there is nothing, and not why (\(service)): look at the endpoint, and at "
            + "what stands before it")
      }
      return made(.notFound, "there is no such object")
    case 401, 403:
      return made(
        .permissionDenied, "\(call.action) was refused on \(address.name): \(service)")
    case 405, 501: return made(.unsupported, "\(address.name) cannot do \(call.action): \(service)")
    case 412: return made(.preconditionFailed, "it changed since it was read; read it again and retry")
    case 507: return made(.noSpace, "\(service)")
    default: break
    }
    return made(Self.isThrottling(service) ? .throttled : .failed, "\(error)")
  }

  /// What to say of an answer that no such service gives: a page of a proxy, or of another server.
  private func foreignAnswer(_ service: ServiceError, _ call: S3Call, _ error: AWSError) -> String? {
    // An answer to HEAD has no body, and 5xx come from what stands before the service, too.
    guard call.method != "HEAD", (300..<500).contains(service.status), error.isPage else { return nil }
    return "\(address.name) answered a page of HTML (\(service)): it does not speak S3; look at the endpoint"
  }

  private static func isThrottling(_ service: ServiceError) -> Bool {
    service.status == 429 || service.status == 503 || service.code == "SlowDown"
      || service.code.contains("Throttl") || service.code == "RequestLimitExceeded"
  }

  /// The error of an answer that is not as the protocol has it.
  func unreadable(_ call: S3Call, path: String, _ what: String) -> StorageError {
    StorageError(
      call.changes ? .unknown : .failed, path: path,
      "\(address.name) gave an answer to \(call.action) that is none of S3's: \(what); look at the endpoint")
  }
}

extension ServiceError {
  /// Whether the store itself says, to anything but a HEAD, that an object is not there.
  var saysThatNothingIsThere: Bool { status == 404 && !code.isEmpty && code != "NoSuchBucket" }
}

extension AWSError {
  /// Whether the answer is a page for people, as of a proxy, and names no error.
  var isPage: Bool {
    guard service?.code.isEmpty ?? true, let type = head?.headers["content-type"] else { return false }
    return type.lowercased().contains("html")
  }
}
