#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
#if os(Linux)
  import CFileCopy
#endif
import Synchronization

/// Copies parts of files to the end of one that is being written, without taking them out of the kernel.
///
/// On file systems that copy byte by byte, the kernel's own `copy_file_range` hands over 64 KiB at a time, and so
/// gathers the new file's memory from small pieces. A pipe of 1 MiB does it with a third less work.
final class FileCopier: Sendable {
  /// Bytes that the pipe holds: the most that any user may ask for, unless told otherwise.
  private static let pipeSize = 1 << 20

  /// Whether bytes are stuck in the pipe, which would come before those that are copied next.
  private let isStuck = Atomic(false)
  /// Nil where the kernel's own call is to do it.
  private let pipe: (exit: Int, entrance: Int)?

  /// Prepares for copies to an open file.
  init(to target: Int) {
    #if os(Linux)
      pipe = Self.isCopiedByteByByte(target) ? Self.makePipe() : nil
    #else
      pipe = nil
    #endif
  }

  deinit {
    guard let pipe else { return }
    FileSystem.close(pipe.exit)
    FileSystem.close(pipe.entrance)
  }

  /// Copies once, up to so many bytes; 0 or an error where the kernel cannot.
  func copy(_ source: Int, at offset: Int, to target: Int, _ count: Int) -> Int {
    #if os(Linux)
      guard let pipe, !isStuck.load(ordering: .relaxed) else {
        return FileSystem.copy(source, at: offset, to: target, count)
      }
      var place = off_t(offset)
      let taken = FileSystem.repeating {
        splice(Int32(source), &place, Int32(pipe.entrance), nil, min(count, Self.pipeSize), 0)
      }
      var passed = 0
      while passed < taken {
        let result = FileSystem.repeating {
          splice(Int32(pipe.exit), nil, Int32(target), nil, taken - passed, 0)
        }
        guard result > 0 else {
          drain(pipe.exit, taken - passed)
          return passed > 0 ? passed : result
        }
        passed += result
      }
      return taken
    #else
      return 0
    #endif
  }

  #if os(Linux)
    /// Takes out of the pipe what its target would not have, so that it does not come before what is copied next.
    private func drain(_ exit: Int, _ count: Int) {
      var waste = [UInt8](repeating: 0, count: min(count, 1 << 16))
      var left = count
      while left > 0 {
        let gone = waste.withUnsafeMutableBytes { room in
          FileSystem.repeating { read(Int32(exit), room.baseAddress, min(left, room.count)) }
        }
        guard gone > 0 else { return isStuck.store(true, ordering: .relaxed) }
        left -= gone
      }
    }

    /// Whether a file lies where `copy_file_range` can neither share blocks nor leave the work to a server.
    ///
    /// Only ext4 and its elders are known here.
    private static func isCopiedByteByByte(_ descriptor: Int) -> Bool {
      let extended = 0xef53
      var status = statfs()
      return fstatfs(Int32(descriptor), &status) == 0 && Int(status.f_type) == extended
    }

    private static func makePipe() -> (exit: Int, entrance: Int)? {
      let resize: Int32 = 1_031
      var ends: [Int32] = [-1, -1]
      guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
      let pipe = (exit: Int(ends[0]), entrance: Int(ends[1]))
      guard fcntl(ends[1], resize, Int32(pipeSize)) >= pipeSize else {
        FileSystem.close(pipe.exit)
        FileSystem.close(pipe.entrance)
        return nil
      }
      return pipe
    }
  #endif
}
