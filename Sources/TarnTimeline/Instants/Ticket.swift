/// The wish of a writer that lost often to go before others: the name of its sign of life, `<instant>.ticket.<random>`.
///
/// Other engines pass over such a name. It stands beside the timeline, so that whoever lists that sees it; and since it
/// takes nothing but a put, a writer that is too slow for any swap of the head has one too.
package struct Ticket: Sendable, Hashable, Comparable {
  /// When it was taken, by the clock of its writer.
  package let instant: Instant
  /// The path relative to the table.
  package let path: String

  /// Makes a name.
  ///
  /// - Parameter mark: A random text of letters and digits.
  package init(_ instant: Instant, mark: String) {
    self.instant = instant
    path = MarkedName.path(instant, "ticket", mark)
  }

  /// Parses a file's name; nil for any other file.
  package init?(fileName: some StringProtocol) {
    guard let (instant, mark) = MarkedName.parse(fileName, ".ticket.") else { return nil }
    self.init(instant, mark: mark)
  }

  /// Whether one is older than another.
  package static func < (one: Ticket, other: Ticket) -> Bool {
    (one.instant, one.path) < (other.instant, other.path)
  }
}

/// The names of what Tarn keeps beside the timeline: an instant, what it is, and a mark.
enum MarkedName {
  /// The path relative to the table.
  static func path(_ instant: Instant, _ kind: String, _ mark: String) -> String {
    "\(TablePaths.folder)\(instant).\(kind).\(mark)"
  }

  /// The instant and the mark of a name; nil for any other.
  ///
  /// - Parameter infix: What it is, with its points.
  static func parse(_ fileName: some StringProtocol, _ infix: String) -> (Instant, String)? {
    // Most names are others, and are looked at once a listing.
    let name = fileName.utf8
    guard let dot = name.firstIndex(of: UInt8(ascii: ".")), name[dot...].starts(with: infix.utf8),
      let instant = Instant(fileName[..<dot])
    else { return nil }
    let mark = name[dot...].dropFirst(infix.utf8.count)
    guard !mark.isEmpty, !mark.contains(UInt8(ascii: ".")) else { return nil }
    return (instant, String(decoding: mark, as: UTF8.self))
  }
}
