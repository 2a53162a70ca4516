internal import CCurl

/// One request on its way, and what has come of its answer.
///
/// All but ``cancellation`` belongs to the thread of transfers, from when it is handed over until its end is told.
final class Transfer: @unchecked Sendable {
  // Unchecked: what changes is touched by one thread alone, and the flag is atomic.

  /// Bytes of the body of an unsuccessful answer that are kept.
  private static let errorBodyLimit = 1 << 16
  /// Bytes that the head of an answer may have.
  private static let headLimit = 1 << 16

  let request: HTTPRequest
  /// The server, by whose name requests are counted.
  let server: String
  let cancellation: CancellationFlag
  private let end: @Sendable (Result<HTTPResponse, HTTPError>) -> Void

  /// How often curl was about to send the request: more than once where it repeats it, on its own, on another
  /// connection after one that it had kept turned out to be closed.
  private(set) var beginnings = 0
  /// When something was last sent or came, in nanoseconds.
  private var lastProgress: Int64 = 0
  private var began: Int64 = 0
  private var hasCompleteHead = false
  private var head: HTTPHead?
  private var headBytes = 0
  private var body: [UInt8] = []
  private var received = 0
  private var sent = 0
  private var piece = 0
  private var offsetInPiece = 0
  private var isBodyCut = false
  private var isTooLarge = false

  init(
    _ request: HTTPRequest, server: String, cancellation: CancellationFlag,
    end: @escaping @Sendable (Result<HTTPResponse, HTTPError>) -> Void
  ) {
    self.request = request
    self.server = server
    self.cancellation = cancellation
    self.end = end
  }

  func start(now: Int64) {
    began = now
    lastProgress = now
  }

  func tell(_ result: Result<HTTPResponse, HTTPError>) { end(result) }

  // MARK: What curl calls

  /// Called once a connection is there, before anything of the request is sent on it.
  ///
  /// - Returns: Whether to send it. Never a second time: who sent it must know how often it may have arrived.
  func begins() -> Bool {
    beginnings += 1
    lastProgress = SystemCalls.monotonicNanoseconds()
    return beginnings == 1
  }

  /// Gives the next bytes of the request's body; 0 at its end.
  func give(_ room: UnsafeMutableRawBufferPointer) -> Int {
    lastProgress = SystemCalls.monotonicNanoseconds()
    var given = 0
    while given < room.count, piece < request.body.pieces.count {
      let left = request.body.pieces[piece].dropFirst(offsetInPiece)
      let count = min(left.count, room.count - given)
      left.withUnsafeBytes { bytes in
        UnsafeMutableRawBufferPointer(rebasing: room[given..<given + count])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      }
      given += count
      offsetInPiece += count
      if count == left.count {
        piece += 1
        offsetInPiece = 0
      }
    }
    sent += given
    return given
  }

  /// Takes one line of the answer's head; false to end the transfer.
  func take(headLine bytes: UnsafeRawBufferPointer) -> Bool {
    lastProgress = SystemCalls.monotonicNanoseconds()
    headBytes += bytes.count
    guard headBytes <= Self.headLimit else {
      isTooLarge = true
      return false
    }
    let line = bytes.drop { $0 == 0x20 || $0 == 0x09 }
    guard let end = line.lastIndex(where: { $0 > 0x20 }) else {
      // The empty line after a head; a preliminary one, such as 100, is followed by another.
      if let status = head?.status, status >= 200 { hasCompleteHead = true }
      return true
    }
    let text = line[line.startIndex...end]
    if !hasCompleteHead, text.starts(with: "HTTP/".utf8) {
      let status = text.split(separator: 0x20, maxSplits: 2).dropFirst().first.map {
        String(decoding: $0, as: UTF8.self)
      }
      head = HTTPHead(status: status.flatMap { Int($0) } ?? 0)
    } else if let colon = text.firstIndex(of: 0x3a) {
      let value = text[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
      head?.headers.add(
        String(decoding: text[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
    return true
  }

  /// Takes bytes of the answer's body; false to end the transfer.
  func take(body bytes: UnsafeRawBufferPointer) -> Bool {
    lastProgress = SystemCalls.monotonicNanoseconds()
    guard let head, head.isSuccess else {
      let room = Self.errorBodyLimit - body.count
      body.append(contentsOf: bytes.prefix(room))
      received = body.count
      isBodyCut = bytes.count > room
      return !isBodyCut
    }
    switch request.receiving {
    case .bytes(let limit):
      isTooLarge = bytes.count > limit - body.count
      if !isTooLarge { body.append(contentsOf: bytes) }
    case .memory(let memory, let offset, let count):
      isTooLarge = !memory.store(bytes, at: offset + received, limit: offset + count)
    }
    if !isTooLarge { received += bytes.count }
    return !isTooLarge
  }

  // MARK: Its end

  /// How long it may still wait, in nanoseconds; nothing or less where its time is over.
  func patience(now: Int64) -> Int64 {
    let timeouts = request.timeouts
    let waits = beginnings == 0 ? timeouts.connect : timeouts.stall
    var left = (beginnings == 0 ? began : lastProgress) + waits.nanoseconds - now
    if let total = timeouts.total { left = min(left, began + total.nanoseconds - now) }
    return left
  }

  /// The error of one whose time is over.
  func impatience(now: Int64) -> HTTPError {
    if let total = request.timeouts.total, now - began >= total.nanoseconds {
      return error(.timedOut, "not done within \(total)")
    }
    if beginnings == 0 { return error(.couldNotConnect, "no connection within \(request.timeouts.connect)") }
    return error(.stalled, "nothing moved for \(request.timeouts.stall)")
  }

  func error(_ kind: HTTPError.Kind, _ what: String) -> HTTPError {
    HTTPError(
      kind, mayHaveArrived: beginnings > 0, head: hasCompleteHead ? head : nil, received: received,
      sent: sent, server: server, what)
  }

  /// What came of it, now that curl has ended it.
  func outcome(_ result: CURLcode) -> Result<HTTPResponse, HTTPError> {
    if result == CURLE_OK || isBodyCut {
      guard let head, hasCompleteHead else { return .failure(error(.badAnswer, "the answer has no head")) }
      return .success(HTTPResponse(head: head, body: body, received: received, sent: sent))
    }
    let text = EasyHandle.text(result, CurlLibrary.functions?.pointer)
    if isTooLarge {
      let what =
        hasCompleteHead ? "body larger than was expected" : "head larger than \(Self.headLimit) bytes"
      return .failure(error(.tooLarge, "the answer has a " + what))
    }
    if beginnings > 1 { return .failure(error(.connectionBroken, "a kept connection was closed")) }
    switch result {
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
      CURLE_SSL_INVALIDCERTSTATUS:
      return .failure(error(beginnings == 0 ? .tls : .connectionBroken, text))
    case CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION, CURLE_NOT_BUILT_IN:
      return .failure(error(.badRequest, text))
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
      // A protocol other than HTTP is refused before it connects, and an answer without a head after it.
      return .failure(error(beginnings == 0 ? .badRequest : .badAnswer, text))
    default:
      if beginnings == 0 { return .failure(error(.couldNotConnect, text)) }
      return .failure(error(hasCompleteHead ? .bodyBrokenOff : .connectionBroken, text))
    }
  }
}
