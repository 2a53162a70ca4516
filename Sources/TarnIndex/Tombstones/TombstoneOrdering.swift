import TarnBytes
import TarnColumns

/// The ordering value of a deletion, and where the deletion holds, as the bytes that a tombstone keeps of them.
///
/// The layout, integers with their least significant byte first: version 1; 1 where a partition follows, else 0; the
/// partition's path in UTF-8 behind its length in 4 bytes; the number of the type; the value: one byte for a boolean,
/// 4 for integers of 32 bits, floats and dates, 8 for other numbers and times, for decimals the scale in one byte and
/// 16 bytes, for texts and bytes all that is left. Of a type that the ordering column no longer has, a
/// number that has been widened is read as what it is now, and other values tell nothing.
///
/// Version 2 is for deletions that columns order which break ties: behind the partition the number of values in one
/// byte, that of the ordering column first, and of each the length of its type and value in 4 bytes, all bits of which
/// are set where the deletion does not tell it.
package enum TombstoneOrdering {
  private static let version: UInt8 = 1
  private static let versionOfSeveral: UInt8 = 2

  /// The bytes of the values in a row; nil where all are null, or of types that do not order.
  ///
  /// - Parameters:
  ///   - columns: The ordering column, and behind it those that break ties.
  ///   - partition: The partition in which the key was deleted; nil in a base file, which has its own, and for a
  ///     deletion from the whole table.
  package static func encode(_ columns: [Column], _ row: Int, partition: String? = nil) -> [UInt8]? {
    let values = columns.map { encode($0, row) }
    guard let last = values.lastIndex(where: { $0 != nil }) else { return nil }
    var out: [UInt8] = [last == 0 ? version : versionOfSeveral, partition == nil ? 0 : 1]
    if let partition {
      out.appendLittleEndian(UInt32(partition.utf8.count))
      out.append(text: partition)
    }
    guard last > 0 else { return out + (values[0] ?? []) }
    out.append(UInt8(truncatingIfNeeded: last + 1))
    for value in values[...last] {
      out.appendLittleEndian(value.map { UInt32($0.count) } ?? UInt32.max)
      out += value ?? []
    }
    return out
  }

  /// The number of a value's type, and its bytes; nil for null, and for a type that does not order.
  private static func encode(_ column: Column, _ row: Int) -> [UInt8]? {
    guard !column.isNull(row), var out = kind(of: column.type) else { return nil }
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
  package enum Extent: Sendable {
    /// In the partition of the file that tells of it, or in the whole table.
    case everywhere
    /// In the partition with this path.
    case partition(ExactText)
  }

  /// Appends the values that bytes hold to columns of the types that the ordering column and those that break ties have;
  /// null where the bytes do not tell one.
  ///
  /// - Returns: Where the deletion holds; nil where the bytes tell nothing, and nothing was appended.
  package static func decode(_ bytes: [UInt8], into builders: inout [ColumnBuilder]) -> Extent? {
    var reader = ByteReader(bytes.span.bytes)
    do {
      let version = try reader.readByte()
      guard version == self.version || version == versionOfSeveral else { return nil }
      var extent = Extent.everywhere
      switch try reader.readByte() {
      case 0: break
      case 1:
        let length = try reader.readLittleEndian(UInt32.self)
        let path = try reader.readBytes(Int(length)).copied()
        extent = .partition(ExactText(String(decoding: path, as: UTF8.self)))
      default: return nil
      }
      var values: [Column?] = []
      if version == self.version {
        guard let builder = builders.first else { return nil }
        values.append(value(try reader.readBytes(reader.remaining), as: builder.type))
      } else {
        let count = Int(try reader.readByte())
        for index in 0..<count {
          let length = try reader.readLittleEndian(UInt32.self)
          guard length != .max else {
            values.append(nil)
            continue
          }
          let found = try reader.readBytes(Int(length))
          values.append(index < builders.count ? value(found, as: builders[index].type) : nil)
        }
      }
      guard values.prefix(builders.count).contains(where: { $0 != nil }) else { return nil }
      for index in builders.indices {
        if index < values.count, let value = values[index] {
          try builders[index].append(value, 0..<1)
        } else {
          builders[index].appendNulls()
        }
      }
      return extent
    } catch { return nil }
  }

  /// A value of a type, of bytes that begin with the number of that which it had; nil where they tell none.
  private static func value(_ bytes: RawSpan, as wanted: DataType) -> Column? {
    guard let kind = kind(of: wanted) else { return nil }
    var reader = ByteReader(bytes)
    do {
      if try reader.readBytes(kind.count).copied() == kind {
        var builder = ColumnBuilder(wanted)
        try append(&reader, to: &builder)
        return builder.finish()
      }
      // The column has been widened since.
      reader = ByteReader(bytes)
      guard let type = try type(ofKind: &reader), type.mayFit(wanted) else { return nil }
      var stored = ColumnBuilder(type)
      try append(&reader, to: &stored)
      let (column, misfits) = try stored.finish().fitted(to: wanted)
      return misfits.isEmpty ? column : nil
    } catch { return nil }
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
