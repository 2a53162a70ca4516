#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The one place of this room that asks the system for time, randomness and environment.
enum SystemCalls {
  /// Microseconds since 1970-01-01T00:00:00Z.
  static func microseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }

  /// Nanoseconds of a clock that nobody sets.
  static func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  static func random() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// The system's text for an error number.
  static func text(ofError number: Int32) -> String { String(cString: strerror(number)) }
}
