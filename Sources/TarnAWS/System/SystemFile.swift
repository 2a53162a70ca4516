#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads small files whole.
enum SystemFile {
  /// Larger ones are no configuration and no token.
  private static let limit = 1 << 20

  static func read(_ path: String) -> AWSWorld.FileContent {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      return errno == ENOENT || errno == ENOTDIR ? .absent : .unreadable(SystemCalls.text(ofError: errno))
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while let more = readSome(descriptor) {
      if more.isEmpty { return .bytes(bytes) }
      bytes.append(contentsOf: more)
      if bytes.count > limit { return .unreadable("larger than \(limit) bytes") }
    }
    return .unreadable(SystemCalls.text(ofError: errno))
  }

  /// What a descriptor gives next; empty at its end, nil where it fails.
  static func readSome(_ descriptor: Int32) -> [UInt8]? {
    var room = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = room.withUnsafeMutableBytes { readInto(descriptor, $0) }
      if count >= 0 { return Array(room.prefix(count)) }
      if errno != EINTR { return nil }
    }
  }

  private static func readInto(_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, room.baseAddress, room.count)
    #elseif canImport(Musl)
      Musl.read(descriptor, room.baseAddress, room.count)
    #elseif canImport(Darwin)
      Darwin.read(descriptor, room.baseAddress, room.count)
    #endif
  }
}
