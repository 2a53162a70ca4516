import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One side of a connection over loopback, for servers and proxies of tests: blocking, and closed by whoever owns it.
public final class LoopbackConnection: Sendable {
  private let descriptor: Int32
  private let isClosed = Mutex(false)

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    Loopback.closeOnExecute(descriptor)
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Connects to a port of this machine; nil where nobody listens.
  public static func connect(toPort port: Int) -> LoopbackConnection? {
    let descriptor = Loopback.socket()
    guard descriptor >= 0 else { return nil }
    guard Loopback.withAddress(port, { Loopback.connect(descriptor, $0, $1) }) == 0 else {
      Loopback.close(descriptor)
      return nil
    }
    return LoopbackConnection(descriptor)
  }

  deinit { close() }

  /// Reads what is there, up to so many bytes; waits for the first of them.
  ///
  /// Empty at the end, or where it broke.
  public func read(upTo count: Int = 1 << 16) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    return Array(bytes.prefix(max(0, got)))
  }

  /// Writes all bytes; false where the other side is gone.
  @discardableResult
  public func write(_ bytes: [UInt8]) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let sent = bytes.withUnsafeBytes { all in
        send(descriptor, all.baseAddress.map { $0 + offset }, all.count - offset, Loopback.noSignal)
      }
      guard sent > 0 else { return false }
      offset += sent
    }
    return true
  }

  /// Ends both directions, so that whoever waits in a read wakes; the descriptor stays until ``close()``.
  public func shutDown() {
    isClosed.withLock { if !$0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) } }
  }

  /// Closes it in order.
  public func close() {
    isClosed.withLock { isClosed in
      if !isClosed {
        _ = shutdown(descriptor, Int32(SHUT_WR))
        Loopback.close(descriptor)
      }
      isClosed = true
    }
  }

  /// Closes it so that the other side finds it broken, and what was not read yet is gone.
  public func reset() {
    isClosed.withLock { isClosed in
      guard !isClosed else { return }
      var hard = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
      Loopback.close(descriptor)
      isClosed = true
    }
  }
}

/// Calls of the system that the classes here share, which have methods of the same names.
enum Loopback {
  #if canImport(Darwin)
    static let noSignal: Int32 = 0
  #else
    static let noSignal = Int32(MSG_NOSIGNAL)
  #endif

  static func socket() -> Int32 {
    #if canImport(Glibc)
      Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #elseif canImport(Musl)
      Musl.socket(AF_INET, SOCK_STREAM, 0)
    #elseif canImport(Darwin)
      Darwin.socket(AF_INET, SOCK_STREAM, 0)
    #endif
  }

  /// Keeps a process that some test starts from holding it open.
  static func closeOnExecute(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

  static func close(_ descriptor: Int32) {
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #elseif canImport(Musl)
      _ = Musl.close(descriptor)
    #elseif canImport(Darwin)
      _ = Darwin.close(descriptor)
    #endif
  }

  static func connect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    #if canImport(Glibc)
      Glibc.connect(descriptor, address, length)
    #elseif canImport(Musl)
      Musl.connect(descriptor, address, length)
    #elseif canImport(Darwin)
      Darwin.connect(descriptor, address, length)
    #endif
  }

  static func withAddress<R>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
