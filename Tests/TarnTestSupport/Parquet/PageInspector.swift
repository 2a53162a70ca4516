/// A page as its header describes it, for tests that ask what was copied and what was encoded.
public struct InspectedPage: Sendable, Equatable {
  /// What pages hold.
  public enum Kind: Int, Sendable {
    case data = 0
    case index, dictionary, dataOfVersion2
  }

  /// What the page holds.
  public let kind: Kind?
  /// The number of its encoding in `parquet.thrift`.
  public let encoding: Int?
  /// Number of its values, nulls among them.
  public let valueCount: Int?
  /// Whether its header has bounds.
  public let hasBounds: Bool
  /// The header and what follows it.
  public let bytes: [UInt8]

  /// Whether its values are positions in the dictionary.
  public var refersToDictionary: Bool { encoding == 2 || encoding == 8 }

  fileprivate init(_ page: ParquetParts.Page) {
    kind = page.header[1]?.number.flatMap(Kind.init)
    let details = page.header[5] ?? page.header[7] ?? page.header[8]
    valueCount = details?[1]?.number
    encoding = details?[kind == .dataOfVersion2 ? 4 : 2]?.number
    hasBounds = details?[kind == .dataOfVersion2 ? 8 : 5] != nil
    bytes = page.header.bytes + page.body
  }
}

extension ParquetParts {
  /// The data pages of a column in a row group.
  public func dataPages(group: Int = 0, column: Int) -> [InspectedPage] {
    chunks[group][column].pages.map(InspectedPage.init)
      .filter { $0.kind == .data || $0.kind == .dataOfVersion2 }
  }
}
