import TarnBytes
import TarnColumns

/// A Bloom filter as a footer has it, which takes keys where its bits stand in the text.
///
/// A file's filter is large beside the few keys that an upsert adds: it is neither decoded nor encoded for them.
package struct BloomFilterText: Sendable {
  /// Whether the filter grows; see ``BloomFilter``.
  package let kind: BloomFilter.Kind
  /// The text as the footer has it.
  package let text: String
  private let header: BloomFilter.Header
  /// Nil for a filter that does not grow.
  private let growth: BloomFilter.Growth?

  /// Takes a filter's text.
  ///
  /// - Parameters:
  ///   - text: The value under ``BloomFilter/footerKey``.
  ///   - kindName: The value under ``BloomFilter/kindFooterKey``; nil where it is missing.
  /// - Returns: Nil where it is no filter that Tarn takes.
  package init?(_ text: String, kindName: String?) {
    guard let kind = kindName.map(BloomFilter.Kind.init(rawValue:)) ?? .simple, Base64.isWellFormed(text),
      let leading = Base64.decode(
        text, bytes: 0..<BloomFilter.headerBytes + (kind == .dynamic ? BloomFilter.Growth.byteCount : 0))
    else { return nil }
    var reader = ByteReader(leading.span.bytes)
    guard let header = try? BloomFilter.readHeader(&reader) else { return nil }
    self.kind = kind
    self.text = text
    self.header = header
    growth = kind == .dynamic ? try? BloomFilter.Growth(&reader) : nil
    guard (growth != nil) == (kind == .dynamic), isWhole else { return nil }
  }

  /// Whether the text has the length that its header tells, and its rows the same shape.
  private var isWhole: Bool {
    let (rows, overflow) = rowCount.multipliedReportingOverflow(by: rowStride)
    guard !overflow, rows < Int.max / 2 else { return false }
    guard Base64.byteCount(text) == firstRow + rows else { return false }
    return (0..<rowCount).allSatisfy { row in
      let start = firstRow + row * rowStride
      guard let bytes = Base64.decode(text, bytes: start..<start + BloomFilter.headerBytes) else {
        return false
      }
      var reader = ByteReader(bytes.span.bytes)
      return (try? BloomFilter.readHeader(&reader)) == header
    }
  }

  private var rowCount: Int { growth?.rowCount ?? 1 }
  private var firstRow: Int { growth == nil ? 0 : BloomFilter.headerBytes + BloomFilter.Growth.byteCount }
  private var rowStride: Int { BloomFilter.headerBytes + header.rowBytes }

  /// Keys that it takes before it errs more often than it was made for.
  package var capacity: Int {
    guard let growth else { return Int.max }
    let (keys, overflow) = growth.rowEntries.multipliedReportingOverflow(by: growth.rowCount)
    return overflow ? Int.max : keys
  }

  /// Adds keys to a copy of the text, which stands from `start` on; a filter that was read from a file gets no
  /// further rows.
  package func add(_ keys: ByteStrings, to copy: inout [UInt8], from start: Int) {
    guard keys.count > 0 else { return }
    Base64.edit(&copy, from: start) { editor in
      var lastRowKeys = growth?.lastRowKeys ?? 0
      var turn = 0
      for key in 0..<keys.count {
        var row = rowCount - 1
        if let growth, lastRowKeys >= growth.rowEntries {
          row = turn % rowCount
          turn += 1
        } else {
          lastRowKeys += 1
        }
        insert(keys[key], firstRow + row * rowStride + BloomFilter.headerBytes, &editor)
      }
      guard growth != nil else { return }
      for byte in 0..<4 {
        let value = UInt8(truncatingIfNeeded: lastRowKeys >> (24 - 8 * byte))
        editor.set(value, at: BloomFilter.headerBytes + BloomFilter.Growth.lastRowKeysOffset + byte)
      }
    }
  }

  private func insert(_ key: RawSpan, _ start: Int, _ editor: inout Base64Editor) {
    for position in BloomFilter.positions(of: key, header) {
      editor.add(1 &<< UInt8(truncatingIfNeeded: position & 7), at: start + position >> 3)
    }
  }
}
