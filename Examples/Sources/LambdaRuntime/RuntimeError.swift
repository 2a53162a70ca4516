#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why the Runtime API could not be asked.
public struct RuntimeError: Error, CustomStringConvertible {
  /// What went wrong, and what to do.
  public let description: String

  package init(_ description: String) { self.description = description }

  /// A call of the system failed.
  package init(call: String, number: Int32) {
    description = "\(call): \(String(cString: strerror(number)))"
  }
}
