internal import CCurl

/// libcurl, loaded when the first request is made.
enum CurlLibrary {
  /// The names under which systems have it.
  private static let names: [String] = {
    #if canImport(Darwin)
      ["libcurl.4.dylib", "/usr/lib/libcurl.4.dylib"]
    #else
      ["libcurl.so.4", "libcurl.so"]
    #endif
  }()

  /// Its functions.
  struct Functions: @unchecked Sendable {
    // Unchecked: they are written once, before anybody has them.
    let pointer: UnsafePointer<CurlFunctions>
  }

  /// Its functions, ready to be used, for the rest of the process; nil where it is not there.
  static let functions: Functions? = {
    let room = UnsafeMutablePointer<CurlFunctions>.allocate(capacity: 1)
    room.initialize(to: CurlFunctions())
    guard names.contains(where: { curlLoad(room, $0) }),
      room.pointee.global_init?(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    else {
      room.deallocate()
      return nil
    }
    return Functions(pointer: UnsafePointer(room))
  }()
}
