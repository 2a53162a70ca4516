/// Blocks of memory that are large, such as the columns of a batch.
enum LargeBlocks {
  /// Bytes from which on a block is given back to the system as soon as it is free.
  private static let least: Int32 = 8 << 20

  /// Has the C library give large blocks back, among which it would keep holes of several times what is held at once.
  static func giveBackWhenFree() {
    #if canImport(Glibc)
      _ = setMemoryOption(mmapThreshold, least)
    #endif
  }
}

#if canImport(Glibc)
  /// `M_MMAP_THRESHOLD` of `malloc.h`, which Swift's module of the C library leaves out.
  private let mmapThreshold = Int32(-3)

  /// `mallopt` of the same header.
  @_silgen_name("mallopt")
  private func setMemoryOption(_ option: Int32, _ value: Int32) -> Int32
#endif
