#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Appends bytes to a file, which is made where it is missing, and syncs it; returns the error number, or 0.
///
/// Where it fails, the file is as long as it was.
func appendToFile(_ bytes: [UInt8], _ path: String) -> Int32 {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { return errno }
  defer { close(descriptor) }
  let size = lseek(descriptor, 0, SEEK_END)
  let failure = writeAll(bytes, to: descriptor)
  if failure != 0 {
    // Pipes and devices have no size; nothing more can be done for them.
    _ = ftruncate(descriptor, max(size, 0))
    return failure
  }
  // Pipes and devices have nothing to sync.
  return fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno
}

/// The system's text for an error number.
func failureText(_ number: Int32) -> String { String(cString: strerror(number)) }
