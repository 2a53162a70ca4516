/// Bounds what a page may take in memory.
///
/// Constant data is made of almost nothing, so what a codec or an encoding could make is no bound by itself.
enum PageLimit {
  /// Bytes that any page may have; writers make pages of about 1 MiB.
  private static let least = 256 << 20
  private static let most = 1 << 30
  private static let ratio = 1_024

  /// The most bytes that are made of a page.
  static func bytes(of page: RawSpan) -> Int {
    let (product, overflow) = page.byteCount.multipliedReportingOverflow(by: ratio)
    return overflow ? most : min(most, max(least, product, page.byteCount))
  }

  /// The most values of a page, of which equal ones may take almost nothing.
  static let values = 64 << 20

  /// Whether so many bytes may be made of a page.
  static func allows(_ size: Int, of page: RawSpan) -> Bool { size <= bytes(of: page) }
}
