/// Copies short runs of bytes.
public enum CopyBytes {
  /// Copies a short run of bytes within bounds that the caller has checked.
  ///
  /// Strings are mostly short, and a call of `memcpy` costs more than their bytes: sixteen go at once, with what
  /// lies behind them, where both sides have room for that.
  @inlinable
  @inline(__always)
  public static func copy(
    _ source: RawSpan, _ from: Int, _ length: Int, _ target: UnsafeMutableRawBufferPointer, _ to: Int
  ) {
    if length <= 64, source.byteCount &- from >= (length &+ 15) & ~15,
      target.count &- to >= (length &+ 15) & ~15
    {
      var done = 0
      while done < length {
        let chunk = source.unsafeLoadUnaligned(fromUncheckedByteOffset: from &+ done, as: SIMD16<UInt8>.self)
        target.storeBytes(of: chunk, toByteOffset: to &+ done, as: SIMD16<UInt8>.self)
        done &+= 16
      }
      return
    }
    source.withUnsafeBytes { bytes in
      guard length > 0, let start = bytes.baseAddress, let end = target.baseAddress else { return }
      (end + to).copyMemory(from: start + from, byteCount: length)
    }
  }
}
