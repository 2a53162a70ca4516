/// Which storages the schemes of URLs name, for programs that take the places of tables as text; a maker may give any
/// storage by ``TableLocation/storage(_:name:)``.
///
/// ```swift
/// var schemes = StorageSchemes()
/// schemes.register("lake") { url in .local("/srv/lake/" + url.dropFirst("lake://".count)) }
/// let table = try await Table.open(at: schemes.location(of: "lake://trades"))
/// ```
public struct StorageSchemes: Sendable {
  /// Makes the location that a URL of its scheme names.
  public typealias Maker = @Sendable (_ url: String) throws -> TableLocation

  private var makers: [String: Maker] = [:]

  /// None but folders of the local file system.
  public init() {}

  /// Has a maker called for the URLs of a scheme, in place of an earlier one.
  ///
  /// - Parameters:
  ///   - scheme: What stands before `://`, in letters of any case.
  ///   - maker: Makes the location; what it throws comes out of ``location(of:)`` as the cause of its error.
  public mutating func register(_ scheme: String, _ maker: @escaping Maker) {
    makers[scheme.lowercased()] = maker
  }

  /// The location that a text names: that of a URL whose scheme is registered, and else a folder.
  ///
  /// - Throws: ``TableError`` with code `unsupported` for a scheme that nobody registered, and `storage` where the maker
  ///   refuses the URL.
  public func location(of place: String) throws(TableError) -> TableLocation {
    guard let scheme = Self.scheme(of: place) else { return .local(place) }
    guard let maker = makers[scheme] else {
      let known = makers.keys.sorted().joined(separator: ", ")
      throw TableError(
        .unsupported,
        "\(place): no storage is known by the scheme \(scheme)"
          + (known.isEmpty ? "" : "; there are: \(known)"))
    }
    do { return try maker(place) } catch { throw TableError(.storage, "\(error)", cause: error) }
  }

  /// The scheme of a URL, in lower case; nil for a text that is none, such as a path.
  public static func scheme(of place: String) -> String? {
    guard let mark = place.firstRange(of: "://") else { return nil }
    let scheme = place[..<mark.lowerBound]
    guard let first = scheme.utf8.first, isLetter(first),
      scheme.utf8.allSatisfy({
        isLetter($0) || (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e].contains($0)
      })
    else { return nil }
    return scheme.lowercased()
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }
}
