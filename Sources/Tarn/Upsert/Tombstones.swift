import TarnBytes
import TarnColumns
import TarnIndex

/// The ordering value of a deletion, and where the deletion holds, as the bytes that a tombstone keeps of them.
///
/// The layout, integers with their least significant byte first: version 1; 1 where a partition follows, else 0; the
/// partition's path in UTF-8 behind its length in 4 bytes; the number of the type; the value: one byte for a boolean,
/// 4 for integers of 32 bits, floats and dates, 8 for other numbers and times, for decimals the scale in one byte and
/// 16 bytes, for texts and bytes all that is left. Of a type that the ordering column no longer has, a
/// number that has been widened is read as what it is now, and other values tell nothing.
enum TombstoneOrdering {
  private static let version: UInt8 = 1

  /// The bytes of a value; nil for null, and for a type that does not order.
  ///
  /// - Parameter partition: The partition in which the key was deleted; nil in a base file, which has its own, and for
  ///   a deletion from the whole table.
  static func encode(_ column: Column, _ row: Int, partition: String? = nil) -> [UInt8]? {
    guard !column.isNull(row), let kind = kind(of: column.type) else { return nil }
    var out: [UInt8] = [version, partition == nil ? 0 : 1]
    if let partition {
      out.appendLittleEndian(UInt32(partition.utf8.count))
      out.append(text: partition)
    }
    out += kind
    switch column.values {
    case .boolean(let values): out.append(values[row] ? 1 : 0)
    case .int8(let values): out.appendLittleEndian(values[row])
    case .int16(let values): out.appendLittleEndian(values[row])
    case .int32(let values): out.appendLittleEndian(values[row])
    case .int64(let values): out.appendLittleEndian(values[row])
    case .float(let values): out.appendLittleEndian(values[row].bitPattern)
    case .double(let values): out.appendLittleEndian(values[row].bitPattern)
    case .decimal(let values): out.appendLittleEndian(values[row])
    case .bytes(let values): out.append(values[row])
    case .dictionary(let values):
      let strings = values.entries.strings
      out.append(strings[values.position(row)])
    case .list, .structure, .map: return nil
    }
    return out
  }

  /// Where a deletion holds.
  enum Place {
    /// In the partition of the file that tells of it, or in the whole table.
    case everywhere
    /// In the partition with this path.
    case partition(ExactText)
  }

  /// Appends the value that bytes hold to a column of the ordering column's type.
  ///
  /// - Returns: Where the deletion holds; nil where the bytes tell nothing, and nothing was appended.
  static func decode(_ bytes: [UInt8], into builder: inout ColumnBuilder) -> Place? {
    guard let kind = kind(of: builder.type) else { return nil }
    var reader = ByteReader(bytes.span.bytes)
    var place = Place.everywhere
    do {
      guard try reader.readByte() == version else { return nil }
      switch try reader.readByte() {
      case 0: break
      case 1:
        let length = try reader.readLittleEndian(UInt32.self)
        let path = try reader.readBytes(Int(length)).copied()
        place = .partition(ExactText(String(decoding: path, as: UTF8.self)))
      default: return nil
      }
      let start = reader
      if try reader.readBytes(kind.count).copied() == kind {
        try append(&reader, to: &builder)
        return place
      }
      reader = start
      // The ordering column has been widened since.
      guard let type = try type(ofKind: &reader), type.mayFit(builder.type) else { return nil }
      var stored = ColumnBuilder(type)
      try append(&reader, to: &stored)
      let (column, misfits) = try stored.finish().fitted(to: builder.type)
      guard misfits.isEmpty else { return nil }
      try builder.append(column, 0..<1)
    } catch { return nil }
    return place
  }

  /// The type of a number that can be widened, with as many digits as there can be; nil for another.
  private static func type(ofKind reader: inout ByteReader) throws -> DataType? {
    switch try reader.readByte() {
    case 4: return .int32
    case 5: return .int64
    case 6: return .float
    case 8:
      let scale = Int(try reader.readByte())
      guard scale <= DataType.greatestPrecision else { return nil }
      return .decimal(precision: DataType.greatestPrecision, scale: scale)
    default: return nil
    }
  }

  private static func append(_ reader: inout ByteReader, to builder: inout ColumnBuilder) throws {
    switch builder.type {
    case .boolean: builder.append(try reader.readByte() != 0)
    case .int8: builder.append(try reader.readLittleEndian(Int8.self))
    case .int16: builder.append(try reader.readLittleEndian(Int16.self))
    case .int32, .date: builder.append(try reader.readLittleEndian(Int32.self))
    case .int64, .time, .timestamp: builder.append(try reader.readLittleEndian(Int64.self))
    case .float: builder.append(Float(bitPattern: try reader.readLittleEndian(UInt32.self)))
    case .double: builder.append(Double(bitPattern: try reader.readLittleEndian(UInt64.self)))
    case .decimal: builder.append(try reader.readLittleEndian(Int128.self))
    case .string, .binary: try builder.append(try reader.readBytes(reader.remaining))
    case .list, .structure, .map: throw ByteError.badLength(offset: reader.offset)
    }
  }

  /// The number of a type, with the scale of a decimal.
  private static func kind(of type: DataType) -> [UInt8]? {
    switch type {
    case .boolean: [1]
    case .int8: [2]
    case .int16: [3]
    case .int32: [4]
    case .int64: [5]
    case .float: [6]
    case .double: [7]
    case .decimal(_, let scale): [8, UInt8(clamping: scale)]
    case .string: [9]
    case .binary: [10]
    case .date: [11]
    case .time: [12]
    case .timestamp(.milliseconds, .instant): [13]
    case .timestamp(.microseconds, .instant): [14]
    case .timestamp(.milliseconds, .local): [15]
    case .timestamp(.microseconds, .local): [16]
    case .list, .structure, .map: nil
    }
  }
}

/// Keys that a commit deletes and that are to be remembered, each with the bytes of its ordering value.
struct Burials: Sendable {
  private var keys = ByteStrings()
  private var orderings = ByteStrings()

  /// Whether there are none.
  var isEmpty: Bool { keys.count == 0 }

  /// Adds a key, unless its ordering value is null.
  mutating func append(
    _ key: RawSpan, orderedBy column: Column, _ row: Int, partition: String? = nil
  ) throws(ColumnError) {
    guard let ordering = TombstoneOrdering.encode(column, row, partition: partition) else { return }
    try keys.append(key)
    try orderings.append(ordering.span.bytes)
  }

  /// The tombstones.
  ///
  /// - Parameter time: The commit's time in milliseconds since 1970-01-01T00:00:00Z.
  func tombstones(at time: Int64) -> [KeyTombstone] {
    (0..<keys.count).map {
      KeyTombstone(key: keys[$0].copied(), ordering: orderings[$0].copied(), time: time)
    }
  }
}

extension CommitContext {
  /// Tombstones of before this time have expired, in milliseconds since 1970-01-01T00:00:00Z.
  var tombstoneExpiry: Int64 { options.tombstoneExpiry(at: time) }

  /// What a file is to remember: of each key the deletion that orders last.
  ///
  /// - Parameters:
  ///   - burials: What this commit deletes from the file.
  ///   - old: What the file remembered of these keys, or of all.
  func tombstones(_ burials: Burials, over old: [KeyTombstone]) -> [KeyTombstone] {
    let all = old + burials.tombstones(at: time)
    guard let index = batch.orderingColumn else { return all }
    var values = ColumnBuilder(schema.fields[index].type)
    var known: [KeyTombstone] = []
    for tombstone in all {
      guard let ordering = tombstone.ordering, TombstoneOrdering.decode(ordering, into: &values) != nil
      else { continue }
      known.append(tombstone)
    }
    let orderings = values.finish()
    var last: [[UInt8]: Int] = [:]
    for (index, tombstone) in known.enumerated() {
      if let other = last[tombstone.key], orderings.compare(index, to: orderings, other) < 0 { continue }
      last[tombstone.key] = index
    }
    return last.values.sorted().map { known[$0] }
  }

  /// The keys, of rows that are inserted, whose tombstones they put an end to.
  func revivedKeys(_ inserts: [Int32]) -> [[UInt8]] {
    guard !revived.isEmpty else { return [] }
    return inserts.filter(revived.contains).map { batch.keys.keys[Int($0)].copied() }
  }

  /// The tombstones of a new version of a file that is written anew.
  func tombstones(
    of merge: WritePlan.Merge, _ warn: @Sendable (String) -> Void
  ) async throws -> [KeyTombstone] {
    guard options.hasKeyIndex else { return [] }
    var old: [KeyTombstone] = []
    let path = merge.tagged.slice.path
    if let reference = merge.tagged.tombstones {
      do throws(KeyIndexError) {
        old = try await KeyIndexDirectory.read(reference, in: storage, at: path)
          .allTombstones(in: storage, at: path, expiry: tombstoneExpiry)
      } catch {
        guard case .damaged = error else { throw error }
        warn("\(error): deletions that it remembered are forgotten")
      }
    }
    let revived = Set(revivedKeys(merge.inserts))
    return tombstones(merge.resolution.burials, over: old).filter { !revived.contains($0.key) }
  }

  /// What changes in the tombstones of a file that is spliced.
  func bury(_ merge: WritePlan.Merge, in index: KeyIndexDirectory, _ changes: inout KeyIndexChanges)
    async throws
  {
    changes.expiry = tombstoneExpiry
    changes.removedTombstones = revivedKeys(merge.inserts)
    let burials = merge.resolution.burials
    guard !burials.isEmpty else { return }
    let hashes = burials.tombstones(at: time).map(\.hash).sorted()
    let old = try await index.tombstones(
      for: hashes, in: storage, at: merge.tagged.slice.path, expiry: tombstoneExpiry)
    let buried = Set(burials.tombstones(at: time).map(\.key))
    changes.addedTombstones = tombstones(burials, over: old.filter { buried.contains($0.key) })
  }
}

extension OwnOptions {
  /// The time before which tombstones have expired at another, both in milliseconds since 1970-01-01T00:00:00Z.
  func tombstoneExpiry(at time: Int64) -> Int64 { time - Int64(tombstoneRetentionHours) * 3_600_000 }
}
