import TarnBytes
import TarnColumns

/// The ordering value of a deletion, and where the deletion holds, as the bytes that a tombstone keeps of them.
///
/// The layout, integers with their least significant byte first: version 1; 1 where a partition follows, else 0; the
/// partition's path in UTF-8 behind its length in 4 bytes; the number of the type; the value: one byte for a boolean,
/// 4 for integers of 32 bits, floats and dates, 8 for other numbers and times, for decimals the scale in one byte and
/// 16 bytes, for texts and bytes all that is left. Of a type that the ordering column no longer has, a
/// number that has been widened is read as what it is now, and other values tell nothing.
package enum TombstoneOrdering {
  private static let version: UInt8 = 1

  /// The bytes of a value; nil for null, and for a type that does not order.
  ///
  /// - Parameter partition: The partition in which the key was deleted; nil in a base file, which has its own, and for
  ///   a deletion from the whole table.
  package static func encode(_ column: Column, _ row: Int, partition: String? = nil) -> [UInt8]? {
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
  package enum Extent: Sendable {
    /// In the partition of the file that tells of it, or in the whole table.
    case everywhere
    /// In the partition with this path.
    case partition(ExactText)
  }

  /// Appends the value that bytes hold to a column of the ordering column's type.
  ///
  /// - Returns: Where the deletion holds; nil where the bytes tell nothing, and nothing was appended.
  package static func decode(_ bytes: [UInt8], into builder: inout ColumnBuilder) -> Extent? {
    guard let kind = kind(of: builder.type) else { return nil }
    var reader = ByteReader(bytes.span.bytes)
    var extent = Extent.everywhere
    do {
      guard try reader.readByte() == version else { return nil }
      switch try reader.readByte() {
      case 0: break
      case 1:
        let length = try reader.readLittleEndian(UInt32.self)
        let path = try reader.readBytes(Int(length)).copied()
        extent = .partition(ExactText(String(decoding: path, as: UTF8.self)))
      default: return nil
      }
      let start = reader
      if try reader.readBytes(kind.count).copied() == kind {
        try append(&reader, to: &builder)
        return extent
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
    return extent
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
