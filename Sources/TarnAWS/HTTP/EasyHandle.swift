internal import CCurl

/// One transfer's handle of curl, with what is set on it.
struct EasyHandle {
  let pointer: UnsafeMutableRawPointer
  let curl: UnsafePointer<CurlFunctions>
  private var headers: UnsafeMutablePointer<curl_slist>?
  /// The first option that curl refused.
  private(set) var refused: String?

  /// Nil where there is no memory left.
  init?(_ curl: UnsafePointer<CurlFunctions>) {
    guard let pointer = curl.pointee.easy_init?() else { return nil }
    self.pointer = pointer
    self.curl = curl
  }

  mutating func set(_ option: CURLoption, _ value: Int) {
    note(curlSetNumber(curl, pointer, option, value))
  }

  mutating func set(_ option: CURLoption, size: Int) {
    note(curlSetSize(curl, pointer, option, curl_off_t(size)))
  }

  /// Sets a text, of which curl keeps a copy.
  mutating func set(_ option: CURLoption, _ value: String) {
    note(value.withCString { curlSetText(curl, pointer, option, $0) })
  }

  /// Sets what the callbacks are handed.
  mutating func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
    note(curlSetPointer(curl, pointer, option, value))
  }

  mutating func set(
    _ option: CURLoption,
    call: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int
  ) {
    note(curlSetTransfer(curl, pointer, option, call))
  }

  mutating func add(header: String) {
    guard let longer = header.withCString({ curl.pointee.slist_append?(headers, $0) }) else {
      return note(CURLE_OUT_OF_MEMORY)
    }
    headers = longer
    note(curlSetHeaders(curl, pointer, headers))
  }

  mutating func note(_ result: CURLcode) {
    if result != CURLE_OK, refused == nil { refused = Self.text(result, curl) }
  }

  func free() {
    curl.pointee.easy_cleanup?(pointer)
    curl.pointee.slist_free_all?(headers)
  }

  static func text(_ result: CURLcode, _ curl: UnsafePointer<CurlFunctions>?) -> String {
    (curl?.pointee.easy_strerror?(result)).map { String(cString: $0) } ?? "error \(result.rawValue) of curl"
  }
}
