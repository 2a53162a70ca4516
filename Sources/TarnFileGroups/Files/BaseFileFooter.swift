import TarnColumns
import TarnIndex
import TarnParquet

extension ParquetFile {
  /// Where the key index lies; nil where the file has none that is known.
  package var keyIndexReference: KeyIndexReference? {
    keyValue(KeyIndexReference.footerKey).flatMap { KeyIndexReference(footerText: $0) }
  }

  /// Whether its key index has tombstones.
  package var hasTombstones: Bool {
    keyValue(KeyIndexReference.tombstonesFooterKey) != nil && keyIndexReference != nil
  }

  /// The positions of a schema's columns, without those that the file does not have.
  package func columns(_ schema: Schema) -> [Int] {
    self.schema.positions(of: schema.names).compactMap(\.self)
  }

  /// Bytes that the columns of a schema take in the file.
  func byteCount(of schema: Schema) -> Int { encodedBytes(columns: columns(schema)) }

  /// Checks that columns can be read.
  ///
  /// - Throws: ``FileGroupError`` with code `unsupported` that names the first that cannot.
  func requireReadable(_ schema: Schema) throws(FileGroupError) {
    for field in schema.fields {
      guard let reason = unreadable[field.name] else { continue }
      throw FileGroupError(
        .unsupported, "\(path): column \(field.name) cannot be read yet: \(reason); select other columns",
        path: path, column: field.name)
    }
  }

  /// The positions in the file of the first row of each row group, and behind them that of its end.
  var groupStarts: [Int] {
    var starts = [0]
    for group in 0..<rowGroupCount { starts.append(starts[group] + rowCount(inGroup: group)) }
    return starts
  }
}

extension KeyIndexDirectory {
  /// Where each slot lies: its row group and rows within; nil for empty ones, and as a whole where the slots
  /// are not those of the file.
  func pages(in file: ParquetFile) -> [(group: Int, rows: Range<Int>)?]? {
    var pages: [(group: Int, rows: Range<Int>)?] = []
    var group = 0
    var row = 0
    for count in slotRows {
      guard count > 0 else {
        pages.append(nil)
        continue
      }
      while group < file.rowGroupCount, row == file.rowCount(inGroup: group) {
        group += 1
        row = 0
      }
      let end = row + Int(count)
      guard group < file.rowGroupCount, end <= file.rowCount(inGroup: group) else { return nil }
      pages.append((group, row..<end))
      row = end
    }
    return group + 1 >= file.rowGroupCount
      && (file.rowGroupCount == 0 || row == file.rowCount(inGroup: file.rowGroupCount - 1))
      ? pages : nil
  }
}

/// The least and the greatest record key of a file, from its footer.
package struct KeyRange: Sendable {
  /// Footer key of the least record key.
  package static let leastKey = "hoodie_min_record_key"
  /// Footer key of the greatest record key.
  package static let greatestKey = "hoodie_max_record_key"

  private let bounds: (least: [UInt8], greatest: [UInt8])?

  /// Reads the footer; one that says nothing, or contradicts itself, excludes no key.
  package init(_ file: ParquetFile) {
    guard let least = file.keyValue(Self.leastKey), let greatest = file.keyValue(Self.greatestKey) else {
      bounds = nil
      return
    }
    let pair = (least: Array(least.utf8), greatest: Array(greatest.utf8))
    // Java orders UTF-16 units, other writers UTF-8 bytes: the orders agree below U+E000.
    let isCommon = !pair.least.contains { $0 >= 0xee } && !pair.greatest.contains { $0 >= 0xee }
    // A range whose end precedes its beginning is wrong, since the file has rows.
    bounds = isCommon && !pair.greatest.lexicographicallyPrecedes(pair.least) ? pair : nil
  }

  /// Whether a key is certainly not in the file.
  package func excludes(_ key: RawSpan) -> Bool {
    guard let bounds else { return false }
    return key.withUnsafeBytes { bytes in
      if bytes.contains(where: { $0 >= 0xee }) { return false }
      return bytes.lexicographicallyPrecedes(bounds.least) || bounds.greatest.lexicographicallyPrecedes(bytes)
    }
  }
}

extension StoredKeys {
  /// Where the columns of which keys are made stand in a file.
  ///
  /// - Throws: ``FileGroupError`` with code `unsupported` where one is missing or cannot be read.
  func columns(in file: ParquetFile) throws(FileGroupError) -> [Int] {
    var columns: [Int] = []
    for name in schema.names {
      if let reason = file.unreadable[name] {
        throw FileGroupError(
          .unsupported, "\(file.path): column \(name) cannot be read yet: \(reason)", path: file.path,
          column: name)
      }
      guard let column = file.schema.index(of: name) else {
        throw FileGroupError(
          .unsupported, "\(file.path): it has no column \(name), so Tarn cannot upsert into it",
          path: file.path, column: name)
      }
      columns.append(column)
    }
    return columns
  }

  /// Whether what a file's footer and key index say of keys is of the texts that its rows have now.
  ///
  /// A key field that another writer has widened since may have another text: `5` becomes `5.00` as a decimal.
  func haveSameTexts(in file: ParquetFile) -> Bool {
    guard areMade else { return true }
    return schema.fields.allSatisfy { field in
      file.schema[field.name].map { $0.type.hasSameTexts(as: field.type) } ?? true
    }
  }
}
