import TarnBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
#if os(Linux)
  import CFileCopy
#endif

/// The system calls the local storage makes, repeated where a signal interrupts them.
///
/// Each returns what it was asked for, or the error number negated, as the kernel itself does: a thrown
/// error would have to be caught and translated at every call.
enum FileSystem {
  /// What is known of a file.
  struct Status {
    /// A link is only seen by who asks for a name's own status.
    enum Kind { case file, folder, link, other }
    var kind = Kind.other
    var size = 0
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0

    /// Names this version of the content: the storage gives each version a new inode, and the time of its
    /// writing with all digits, so an inode that is used again does not repeat a tag.
    var tag: ObjectTag {
      // Made for each file of a listing, so not by interpolation.
      var text: [UInt8] = []
      text.reserveCapacity(64)
      text.append(hexadecimal: inode)
      text.append(0x2d)
      text.append(hexadecimal: UInt64(clamping: size))
      text.append(0x2d)
      text.append(decimal: seconds)
      text.append(0x2e)
      text.append(decimal: nanoseconds)
      return ObjectTag(String(decoding: text, as: UTF8.self))
    }

    /// The tag of a content that is at hand.
    func tag(of bytes: [UInt8]) -> ObjectTag {
      ObjectTag(tag.text, contentHash: XXH64.hash(bytes.span.bytes))
    }

    func isSameFile(as other: Status) -> Bool { device == other.device && inode == other.inode }

    func info(path: String) -> ObjectInfo {
      ObjectInfo(path: path, size: size, tag: tag, modified: seconds &* 1_000_000 &+ nanoseconds / 1000)
    }
  }

  /// Calls until no signal interrupts, and gives the result or the error number negated.
  static func repeating(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result != -1 { return result }
      let number = errno
      if number != EINTR { return -Int(number) }
    }
  }

  /// Opens a file for reading; a pipe or device does not block.
  static func openForReading(_ path: String) -> Int {
    repeating { Int(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) }
  }

  static func openFolder(_ path: String) -> Int {
    repeating { Int(open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)) }
  }

  /// Makes a new file, and opens it for writing.
  static func createNew(_ path: String) -> Int {
    repeating { Int(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)) }
  }

  /// Makes a second descriptor of an open file.
  static func duplicate(_ descriptor: Int) -> Int {
    repeating { Int(fcntl(Int32(descriptor), F_DUPFD_CLOEXEC, 0)) }
  }

  /// Closes a descriptor.
  ///
  /// It is closed even where that reports an error, so it is never tried twice.
  static func close(_ descriptor: Int) {
    #if canImport(Glibc)
      _ = Glibc.close(Int32(descriptor))
    #elseif canImport(Musl)
      _ = Musl.close(Int32(descriptor))
    #elseif canImport(Darwin)
      _ = Darwin.close(Int32(descriptor))
    #endif
  }

  /// Reads once, up to the room there is; 0 at the end of the file.
  static func read(_ descriptor: Int, at offset: Int, into room: UnsafeMutableRawBufferPointer) -> Int {
    repeating { pread(Int32(descriptor), room.baseAddress, min(room.count, 1 << 30), off_t(offset)) }
  }

  /// Writes everything.
  static func writeAll(_ descriptor: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = repeating { write(Int32(descriptor), rest.baseAddress, min(rest.count, 1 << 30)) }
      guard count >= 0 else { return count }
      done += count
    }
    return 0
  }

  /// Copies once from a place in one file to the end of what was written to another, up to so many bytes;
  /// 0 or an error where the kernel cannot.
  static func copy(_ source: Int, at offset: Int, to target: Int, _ count: Int) -> Int {
    #if os(Linux)
      var place = off_t(offset)
      return repeating { copy_file_range(Int32(source), &place, Int32(target), nil, min(count, 1 << 30), 0) }
    #else
      return 0
    #endif
  }

  /// Takes room on the disk for what is about to be appended, without making the file longer.
  ///
  /// A copy then need not ask for each page where it goes. It may fail, and then the copy tells why.
  static func reserve(_ descriptor: Int, _ count: Int) {
    #if os(Linux)
      let keepsSize: Int32 = 1
      let end = lseek(Int32(descriptor), 0, SEEK_CUR)
      if end >= 0 { _ = fallocate(Int32(descriptor), keepsSize, end, off_t(count)) }
    #endif
  }

  /// Forces a file's bytes, or a folder's names, to the disk.
  static func synchronize(_ descriptor: Int) -> Int {
    #if canImport(Darwin)
      // There, `fsync` leaves the bytes in the drive's own cache.
      if fcntl(Int32(descriptor), F_FULLFSYNC) == 0 { return 0 }
    #endif
    let result = repeating { Int(fsync(Int32(descriptor))) }
    // Some file systems keep folders in another way, and cannot be asked.
    return result == -Int(EINVAL) ? 0 : result
  }

  /// Sets the time of modification to now, to the nanosecond: the kernel's own stamp moves only every few
  /// milliseconds, too coarsely to tell versions apart.
  static func stamp(_ descriptor: Int) -> Int {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let times = [now, now]
    return repeating { Int(futimens(Int32(descriptor), times)) }
  }

  static func status(of path: String, _ status: inout Status) -> Int {
    var raw = stat()
    let result = repeating { Int(stat(path, &raw)) }
    if result == 0 { status = Status(raw) }
    return result
  }

  /// What is known of a name itself, which may be a symbolic link.
  static func status(ofName path: String, _ status: inout Status) -> Int {
    var raw = stat()
    let result = repeating { Int(lstat(path, &raw)) }
    if result == 0 { status = Status(raw) }
    return result
  }

  /// A path without symbolic links; nil where nothing is there.
  static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(validatingCString: real)
  }

  static func status(ofOpen descriptor: Int, _ status: inout Status) -> Int {
    var raw = stat()
    let result = repeating { Int(fstat(Int32(descriptor), &raw)) }
    if result == 0 { status = Status(raw) }
    return result
  }

  static func makeFolder(_ path: String) -> Int { repeating { Int(mkdir(path, 0o777)) } }

  static func removeFolder(_ path: String) -> Int { repeating { Int(rmdir(path)) } }

  static func rename(_ path: String, to other: String) -> Int {
    #if canImport(Glibc)
      repeating { Int(Glibc.rename(path, other)) }
    #elseif canImport(Musl)
      repeating { Int(Musl.rename(path, other)) }
    #elseif canImport(Darwin)
      repeating { Int(Darwin.rename(path, other)) }
    #endif
  }

  /// Gives a file a second name, which must not be taken.
  static func addName(_ other: String, to path: String) -> Int { repeating { Int(link(path, other)) } }

  static func remove(_ path: String) -> Int { repeating { Int(unlink(path)) } }

  /// Takes the advisory lock of an open file, or of a folder, where it is free: alone, or with others who share it.
  static func lock(_ descriptor: Int, isShared: Bool = false) -> Int {
    repeating { Int(flock(Int32(descriptor), (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB)) }
  }

  /// Lets go of the advisory lock of an open file, for every copy of its descriptor.
  static func unlock(_ descriptor: Int) { _ = repeating { Int(flock(Int32(descriptor), LOCK_UN)) } }

  /// The message the system has for an error number.
  static func text(of number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
  }
}

extension FileSystem.Status {
  fileprivate init(_ raw: stat) {
    switch raw.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFLNK: kind = .link
    default: kind = .other
    }
    size = Int(raw.st_size)
    device = UInt64(truncatingIfNeeded: raw.st_dev)
    inode = UInt64(truncatingIfNeeded: raw.st_ino)
    #if canImport(Darwin)
      let modified = raw.st_mtimespec
    #else
      let modified = raw.st_mtim
    #endif
    seconds = Int64(modified.tv_sec)
    nanoseconds = Int64(modified.tv_nsec)
  }
}

extension FileSystem {
  /// One name in a folder.
  struct Entry {
    enum Kind { case file, folder, link, unknown }
    var name: String
    var kind: Kind
  }

  /// Names in a folder that begin with a text, in no order; names that are not UTF-8 are left out, since
  /// no path can name them.
  ///
  /// - Returns: 0, or a negated error number.
  static func names(in path: String, beginning prefix: String, _ folder: inout Status, _ names: inout [Entry])
    -> Int
  {
    guard let handle = opendir(path) else { return -Int(errno) }
    defer { closedir(handle) }
    var raw = stat()
    guard fstat(dirfd(handle), &raw) == 0 else { return -Int(errno) }
    folder = Status(raw)
    while true {
      errno = 0
      guard let entry = readdir(handle) else { return -Int(errno) }
      guard let name = name(of: entry), name != ".", name != "..", name.utf8.starts(with: prefix.utf8) else {
        continue
      }
      switch entry.pointee.d_type {
      case UInt8(DT_DIR): names.append(Entry(name: name, kind: .folder))
      case UInt8(DT_REG): names.append(Entry(name: name, kind: .file))
      case UInt8(DT_LNK): names.append(Entry(name: name, kind: .link))
      case UInt8(DT_UNKNOWN): names.append(Entry(name: name, kind: .unknown))
      default: break
      }
    }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> String? {
    guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
    let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: UInt8.self)
    let count = strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
    return String(validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }
}

extension [UInt8] {
  /// Appends a number in base 16, in small letters and without zeros before it.
  fileprivate mutating func append(hexadecimal number: UInt64) {
    var shift = Swift.max(0, (63 - number.leadingZeroBitCount) / 4 * 4)
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift) & 15)
      append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      shift -= 4
    }
  }
}
