import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Listens on a free port of this machine, and serves each connection on a thread of its own.
///
/// It stops with ``stop()``, or when nobody holds it any more.
public final class LoopbackListener: Sendable {
  private struct State: Sendable {
    var connections: [Int: LoopbackConnection] = [:]
    var accepted = 0
    var isStopped = false
  }

  /// The port.
  public let port: Int
  private let descriptor: Int32
  private let state = LockedBox(State())

  /// Begins to listen.
  ///
  /// - Parameter serve: Called with each connection and its number, from 0 on; when it returns, the connection is
  ///   closed.
  /// - Throws: ``Refused`` where the system has no port or no socket left.
  public init(_ serve: @escaping @Sendable (LoopbackConnection, Int) -> Void) throws {
    let descriptor = Loopback.socket()
    guard descriptor >= 0 else { throw Refused() }
    Loopback.closeOnExecute(descriptor)
    let isBound = Loopback.withAddress(0) { bind(descriptor, $0, $1) } == 0
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isNamed =
      withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
      } == 0
    guard isBound, isNamed, listen(descriptor, 128) == 0 else {
      Loopback.close(descriptor)
      throw Refused()
    }
    self.descriptor = descriptor
    port = Int(UInt16(bigEndian: address.sin_port))
    let state = state
    Thread.detachNewThread {
      while true {
        let accepted = accept(descriptor, nil, nil)
        guard accepted >= 0 else { break }
        let connection = LoopbackConnection(accepted)
        let number = state.value.withLock { state -> Int? in
          guard !state.isStopped else { return nil }
          defer { state.accepted += 1 }
          state.connections[state.accepted] = connection
          return state.accepted
        }
        guard let number else { break }
        Thread.detachNewThread {
          serve(connection, number)
          connection.close()
          state.value.withLock { state in state.connections[number] = nil }
        }
      }
      Loopback.close(descriptor)
    }
  }

  deinit { stop() }

  /// How many connections there were so far.
  public var connectionCount: Int { state.value.withLock { $0.accepted } }

  /// Ends all connections, and takes no more.
  public func stop() {
    let connections = state.value.withLock { state -> [LoopbackConnection]? in
      guard !state.isStopped else { return nil }
      state.isStopped = true
      return Array(state.connections.values)
    }
    guard let connections else { return }
    for connection in connections { connection.shutDown() }
    // Wakes the thread that waits in `accept`, which then closes it.
    _ = shutdown(descriptor, Int32(SHUT_RDWR))
    _ = LoopbackConnection.connect(toPort: port)
  }

  /// The system has no socket or no port left.
  public struct Refused: Error {}

  /// A lock that threads share.
  private final class LockedBox: Sendable {
    let value: Mutex<State>

    init(_ value: consuming sending State) { self.value = Mutex(value) }
  }
}
