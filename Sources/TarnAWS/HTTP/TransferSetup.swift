internal import CCurl

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Makes curl's handle of a transfer, with all that the request and the options say.
enum TransferSetup {
  /// - Throws: ``HTTPError/Kind/badRequest`` where the request cannot be sent as it is.
  static func handle(
    for transfer: Transfer, _ options: HTTPOptions, _ curl: UnsafePointer<CurlFunctions>
  ) throws(HTTPError) -> EasyHandle {
    let request = transfer.request
    if let bad = request.headers.fields.first(where: { !isPlain($0.name) || !isPlain($0.value) }) {
      throw transfer.error(.badRequest, "the header \(bad.name) has a control character")
    }
    guard isPlain(request.url), isPlain(request.method) else {
      throw transfer.error(.badRequest, "the URL or the method has a control character")
    }
    guard var easy = EasyHandle(curl) else { throw transfer.error(.badRequest, "no memory left") }
    easy.set(CURLOPT_URL, request.url)
    // Segments such as `..` are names like others to a storage of objects.
    easy.set(CURLOPT_PATH_AS_IS, 1)
    easy.note(curlAllowHTTPOnly(curl, easy.pointer))
    easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    easy.set(CURLOPT_FOLLOWLOCATION, 0)
    easy.set(CURLOPT_NOSIGNAL, 1)
    easy.set(CURLOPT_TCP_KEEPALIVE, 1)
    easy.set(CURLOPT_BUFFERSIZE, 1 << 18)
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, request.timeouts.connect.nanoseconds / 1_000_000)))
    easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    #if os(Linux)
      // A name that is slow to be found must not hold up whoever shares the thread. Older ones do not know it.
      _ = curlSetNumber(curl, easy.pointer, CURLoption(rawValue: quickExit), 1)
    #endif
    setMethod(request, &easy)
    setHeaders(request, options, &easy)
    setTrustAndProxy(request, options, &easy)
    setCalls(transfer, &easy, curl)
    if let refused = easy.refused {
      easy.free()
      throw transfer.error(.badRequest, refused)
    }
    return easy
  }

  /// `CURLOPT_QUICK_EXIT`, of 7.87.
  private static let quickExit: UInt32 = 322

  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
  }

  private static func setMethod(_ request: HTTPRequest, _ easy: inout EasyHandle) {
    if request.method == "HEAD" {
      easy.set(CURLOPT_NOBODY, 1)
    } else if request.body.count > 0 || request.method == "PUT" || request.method == "POST" {
      easy.set(CURLOPT_UPLOAD, 1)
      easy.set(CURLOPT_INFILESIZE_LARGE, size: request.body.count)
      easy.set(CURLOPT_UPLOAD_BUFFERSIZE, 1 << 18)
      easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    } else {
      easy.set(CURLOPT_HTTPGET, 1)
      easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private static func setHeaders(_ request: HTTPRequest, _ options: HTTPOptions, _ easy: inout EasyHandle) {
    for field in request.headers.fields where field.name != "content-length" {
      // A header of no value is written so; a colon would leave it out.
      easy.add(header: field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
    }
    // Nothing of curl's own: no waiting before a body, no type.
    easy.add(header: "Expect:")
    if request.headers["accept"] == nil { easy.add(header: "Accept:") }
    if request.headers["user-agent"] == nil { easy.set(CURLOPT_USERAGENT, options.userAgent) }
  }

  private static func setTrustAndProxy(
    _ request: HTTPRequest, _ options: HTTPOptions, _ easy: inout EasyHandle
  ) {
    let isSecure = request.url.lowercased().hasPrefix("https:")
    if isSecure, let certificates = options.certificates { easy.set(CURLOPT_CAINFO, certificates) }
    // Waits for the first connection's handshake, which tells whether all requests can share it.
    if isSecure { easy.set(CURLOPT_PIPEWAIT, 1) }
    // An empty text keeps curl from asking the environment itself.
    let proxy = request.usesProxy ? (isSecure ? options.secureProxy : options.proxy) : nil
    easy.set(CURLOPT_PROXY, proxy ?? "")
    easy.set(CURLOPT_NOPROXY, options.withoutProxy)
  }

  private static func setCalls(
    _ transfer: Transfer, _ easy: inout EasyHandle, _ curl: UnsafePointer<CurlFunctions>
  ) {
    // Unretained: the loop holds the transfer until its handle is freed.
    let context = Unmanaged.passUnretained(transfer).toOpaque()
    easy.set(CURLOPT_WRITEDATA, context)
    easy.set(CURLOPT_HEADERDATA, context)
    easy.set(CURLOPT_READDATA, context)
    easy.set(CURLOPT_PREREQDATA, context)
    easy.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let context else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      let taken = size * count
      return transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: taken)) ? taken : taken &+ 1
    }
    easy.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let context else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      let taken = size * count
      return transfer.take(headLine: UnsafeRawBufferPointer(start: bytes, count: taken)) ? taken : taken &+ 1
    }
    easy.set(CURLOPT_READFUNCTION) { room, size, count, context in
      guard let context else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.give(UnsafeMutableRawBufferPointer(start: room, count: size * count))
    }
    easy.note(
      curlSetOnSocket(curl, easy.pointer) { _, socket, _ in
        // A process that this one starts is not to hold its connections open.
        fcntl(socket, F_SETFD, FD_CLOEXEC) < 0 ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK
      })
    easy.note(
      curlSetBeforeRequest(curl, easy.pointer) { context, _, _, _, _ in
        guard let context else { return 1 }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().begins() ? 0 : 1
      })
  }
}
