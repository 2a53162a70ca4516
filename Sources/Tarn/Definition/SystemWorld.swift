#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The one place of this room that asks the system for time, zone and size.
enum SystemWorld {
  /// Microseconds since 1970-01-01T00:00:00Z.
  static func microseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }

  /// How far the system's zone is ahead of UTC at a time, both in microseconds.
  static func localOffset(at time: Int64) -> Int64 {
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000)
    var point = time_t(rest < 0 ? seconds - 1 : seconds)
    var fields = tm()
    guard localtime_r(&point, &fields) != nil else { return 0 }
    return Int64(fields.tm_gmtoff) * 1_000_000
  }

  /// Where temporary files go.
  static var temporaryFolder: String {
    guard let folder = getenv("TMPDIR"), folder.pointee != 0 else { return "/tmp" }
    return String(cString: folder)
  }

  /// The number of the user whose process this is.
  static var user: UInt32 { getuid() }

  /// Makes a folder that its user alone can read and write, unless there is one.
  ///
  /// - Returns: Whether it is there, and nobody else's.
  static func makePrivateFolder(_ path: String) -> Bool {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { return false }
    var info = stat()
    guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_uid == geteuid() else {
      return false
    }
    return info.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0
  }

  /// Number of cores at work.
  static var coreCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
