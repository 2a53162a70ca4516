#if canImport(Glibc)
  import CMalloc
#endif

/// Blocks of memory that are large, such as the columns of a batch.
enum LargeBlocks {
  /// Bytes from which on a block is given back to the system as soon as it is free.
  private static let least: Int32 = 8 << 20

  /// Has the C library give large blocks back, among which it would keep holes of several times what is held at once.
  static func giveBackWhenFree() {
    #if canImport(Glibc)
      _ = mallopt(M_MMAP_THRESHOLD, least)
    #endif
  }
}
