extension Duration {
  /// Nanoseconds, as far as 64 bits hold them.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !isOver, whole < Int64.max / 2, whole > Int64.min / 2 else {
      return seconds < 0 ? .min / 2 : .max / 2
    }
    return whole + attoseconds / 1_000_000_000
  }
}
