import Foundation

/// Lines of a file or of standard input, as they come.
struct LineSource {
  private let descriptor: Int32
  private var text = Data()
  private var isAtEnd = false

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// What comes next.
  enum Found {
    case lines([Data])
    /// Nothing came for some time.
    case nothing
    case end
  }

  /// Waits for lines, a second at most; the last one may have no end.
  mutating func next() -> Found {
    guard !isAtEnd else { return .end }
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&wait, 1, 1_000) > 0 else { return .nothing }
    var part = [UInt8](repeating: 0, count: 1 << 20)
    let count = part.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count <= 0 {
      isAtEnd = true
      return text.isEmpty ? .end : .lines([text])
    }
    text += part[..<count]
    guard let last = text.lastIndex(of: 0x0a) else { return .lines([]) }
    let lines = text[..<last].split(separator: 0x0a).map { Data($0) }
    text = Data(text[text.index(after: last)...])
    return .lines(lines)
  }
}
