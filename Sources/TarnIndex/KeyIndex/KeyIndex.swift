import TarnBytes
import TarnStorage

/// The key index inside each base file: from a record key to the page that may hold it.
///
/// It is a region between the last page of a Parquet file and its footer, named in the footer's
/// key-value metadata by a ``KeyIndexReference``. The article "The key index" describes it byte by byte.
///
/// It maps a 32-bit hash of a key to a *slot*, which is a page of the key column, and not to a row: that page
/// is read anyway to confirm the key, and so a row that goes from it changes no other entry. For the same
/// reason 32 bits suffice: a lookup meets rows / 2³² foreign keys on average, each of which costs a page and
/// no wrong answer.
@usableFromInline
package enum KeyIndex {
  /// Version of the layout that is written, and the only one that is read.
  package static let version = 1

  /// The hash of a key: the upper 32 bits of the XXH64 of its UTF-8 bytes.
  @inlinable
  package static func hash(of key: RawSpan) -> UInt32 { shortened(XXH64.hash(key)) }

  /// The hash of a key whose XXH64 is known.
  @inlinable
  package static func shortened(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash &>> 32) }

  /// How the index is cut; it is written so, and read however it was cut.
  package struct Sizing: Sendable, Hashable {
    /// Most entries in a block.
    package let entriesPerBlock: Int
    /// Most tombstones in a block.
    package let tombstonesPerBlock: Int
    /// Bytes of tombstones beyond which a block takes no more.
    package let tombstoneBytesPerBlock: Int
    /// Fewest bytes for the number of a slot.
    package let minimumSlotWidth: Int

    /// Makes a sizing of its parts, each brought into the range that readers take.
    ///
    /// Two bytes for a slot by default, so that a file does not outgrow its width, and each of its
    /// blocks with it, when it gets a 257th page.
    package init(
      entriesPerBlock: Int = 1_024, tombstonesPerBlock: Int = 1_024, tombstoneBytesPerBlock: Int = 1 << 16,
      minimumSlotWidth: Int = 2
    ) {
      self.entriesPerBlock = min(max(entriesPerBlock, 1), KeyIndexDirectory.longestBlock)
      self.tombstonesPerBlock = min(max(tombstonesPerBlock, 1), KeyIndexDirectory.longestBlock)
      self.tombstoneBytesPerBlock = max(tombstoneBytesPerBlock, 1)
      self.minimumSlotWidth = min(max(minimumSlotWidth, 1), 4)
    }

    /// Bytes for the number of a slot where there are so many.
    func slotWidth(slots: Int) -> Int {
      var width = minimumSlotWidth
      while width < 4, slots > 1 << (8 * width) { width += 1 }
      return width
    }
  }
}

/// Why a key index could not be used.
package enum KeyIndexError: Error, Sendable, CustomStringConvertible {
  /// Its bytes are not what the layout says, from this offset in the file on; the keys must be read instead.
  case damaged(path: String, offset: Int, message: String)
  /// The storage failed.
  case storage(StorageError)

  /// The path, the offset and what is wrong.
  package var description: String {
    switch self {
    case .damaged(let path, let offset, let message): "\(path), key index at byte \(offset): \(message)"
    case .storage(let error): error.description
    }
  }
}

/// Where in a file its key index lies, as the footer says.
package struct KeyIndexReference: Sendable, Hashable {
  /// Key of ``footerText`` in a Parquet footer.
  package static let footerKey = "tarn.key_index"
  /// Key in a Parquet footer of the number of tombstones in the index, which is left out where there are none.
  package static let tombstonesFooterKey = "tarn.key_index.tombstones"

  /// Offset of the region's first byte in the file.
  package let offset: Int
  /// Length of the region in bytes.
  package let length: Int
  /// Length in bytes of the directory at its end, without the trailer.
  package let directoryLength: Int

  /// Makes a reference of its parts.
  package init(offset: Int, length: Int, directoryLength: Int) {
    self.offset = offset
    self.length = length
    self.directoryLength = directoryLength
  }

  /// Reads the text in a footer; nil for another version and for text that is none.
  package init?(footerText text: String) {
    let fields = text.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 4, fields[0] == "\(KeyIndex.version)",
      let offset = Int(fields[1]), let length = Int(fields[2]), let directoryLength = Int(fields[3]),
      offset >= 0, length >= 0, directoryLength >= 0,
      !offset.addingReportingOverflow(length).overflow,
      directoryLength <= length - KeyIndexDirectory.trailerLength
    else { return nil }
    self.init(offset: offset, length: length, directoryLength: directoryLength)
  }

  /// The text for a footer: version, offset, length, and length of the directory.
  package var footerText: String { "\(KeyIndex.version) \(offset) \(length) \(directoryLength)" }

  /// The region's bytes in the file.
  package var range: Range<Int> { offset..<offset + length }
}

/// That a key with this hash is stored in this slot.
package struct KeyIndexEntry: Sendable, Hashable, Comparable {
  /// The key's hash.
  package var hash: UInt32
  /// The slot's number.
  package var slot: Int32

  /// Makes an entry of its parts.
  package init(hash: UInt32, slot: Int32) {
    self.hash = hash
    self.slot = slot
  }

  /// Hash and slot in one integer, which orders as entries do.
  var packed: UInt64 { UInt64(hash) << 32 | UInt64(UInt32(bitPattern: slot)) }

  /// Orders by hash and then by slot.
  package static func < (left: KeyIndexEntry, right: KeyIndexEntry) -> Bool { left.packed < right.packed }

  init(packed: UInt64) {
    hash = UInt32(truncatingIfNeeded: packed &>> 32)
    slot = Int32(truncatingIfNeeded: packed)
  }
}

/// A slot that may hold the key which was asked for.
package struct KeyIndexCandidate: Sendable, Hashable {
  /// Position of the hash in the query.
  package var query: Int32
  /// The slot's number.
  package var slot: Int32

  /// Makes a candidate of its parts.
  package init(query: Int32, slot: Int32) {
    self.query = query
    self.slot = slot
  }
}

/// That a key was deleted, kept so that a change which comes too late does not bring it back.
package struct KeyTombstone: Sendable, Hashable {
  /// The key's hash.
  package let hash: UInt32
  /// The key's UTF-8 bytes.
  package let key: [UInt8]
  /// Ordering value of the deletion, in a form that only the writer knows; nil for a deletion without one.
  package let ordering: [UInt8]?
  /// When the deletion was committed, in milliseconds since 1970-01-01T00:00:00Z.
  package let time: Int64

  /// Makes a tombstone of a key.
  package init(key: [UInt8], ordering: [UInt8]?, time: Int64) {
    self.init(hash: KeyIndex.hash(of: key.span.bytes), key: key, ordering: ordering, time: time)
  }

  init(hash: UInt32, key: [UInt8], ordering: [UInt8]?, time: Int64) {
    self.hash = hash
    self.key = key
    self.ordering = ordering
    self.time = time
  }
}
