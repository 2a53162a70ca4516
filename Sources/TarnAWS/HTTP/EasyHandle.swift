internal import CCurl

/// One transfer's handle of curl, with what is set on it.
struct EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private var headers: UnsafeMutablePointer<curl_slist>?
  /// The first option that curl refused.
  private(set) var refused: String?

  /// Nil where there is no memory left.
  init?() {
    guard let pointer = curl_easy_init() else { return nil }
    self.pointer = pointer
  }

  mutating func set(_ option: CURLoption, _ value: Int) {
    note(curlSetNumber(pointer, option, value))
  }

  mutating func set(_ option: CURLoption, size: Int) {
    note(curlSetSize(pointer, option, curl_off_t(size)))
  }

  /// Sets a text, of which curl keeps a copy.
  mutating func set(_ option: CURLoption, _ value: String) {
    note(value.withCString { curlSetText(pointer, option, $0) })
  }

  /// Sets what the callbacks are handed.
  mutating func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
    note(curlSetPointer(pointer, option, value))
  }

  mutating func set(
    _ option: CURLoption,
    call: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int
  ) {
    note(curlSetTransfer(pointer, option, call))
  }

  mutating func add(header: String) {
    guard let longer = header.withCString({ curl_slist_append(headers, $0) }) else {
      return note(CURLE_OUT_OF_MEMORY)
    }
    headers = longer
    note(curlSetHeaders(pointer, headers))
  }

  mutating func note(_ result: CURLcode) {
    if result != CURLE_OK, refused == nil { refused = Self.text(result) }
  }

  func free() {
    curl_easy_cleanup(pointer)
    curl_slist_free_all(headers)
  }

  static func text(_ result: CURLcode) -> String {
    curl_easy_strerror(result).map { String(cString: $0) } ?? "error \(result.rawValue) of curl"
  }
}
