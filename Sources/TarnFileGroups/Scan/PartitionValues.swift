import TarnBytes
import TarnColumns
import TarnExpressions
import TarnIndex

/// The values that all rows of a partition have in its columns, as far as its path tells them.
struct PartitionValues {
  /// One row of the columns that are known.
  private let row: RecordBatch?

  /// Reads a path.
  ///
  /// - Parameters:
  ///   - path: The partition's path.
  ///   - partition: How the table's paths are made.
  ///   - schema: The table's columns.
  ///   - isWhole: Whether it is the path of a partition, rather than that of a folder on the way to some.
  init(_ path: String, _ partition: PartitionPath, _ schema: Schema, isWhole: Bool = true) {
    let segments = path.utf8.split(separator: 0x2f, omittingEmptySubsequences: false)
    var fields: [Field] = []
    var columns: [Column] = []
    if isWhole ? segments.count == partition.fields.count : segments.count <= partition.fields.count {
      for (name, segment) in zip(partition.fields, segments) {
        guard let field = schema[name], let text = Self.value(Array(segment), name, partition),
          let column = try? Self.literal(text, field.type)?.stored(in: field)
        else { continue }
        fields.append(field)
        columns.append(column)
      }
    }
    row = try? RecordBatch(schema: Schema(fields), columns: columns, count: 1)
  }

  /// The text of a segment's value; nil where it stands for null, which is that of the empty string too.
  private static func value(_ segment: [UInt8], _ name: String, _ partition: PartitionPath) -> String? {
    var bytes = segment[...]
    if partition.isHiveStyle {
      let prefix = Array("\(name)=".utf8)
      guard bytes.starts(with: prefix) else { return nil }
      bytes = bytes.dropFirst(prefix.count)
    }
    // The second is what Hudi called null before.
    guard !bytes.elementsEqual(PartitionPath.null.utf8), !bytes.elementsEqual("default".utf8) else {
      return nil
    }
    guard partition.isEncoded else { return String(decoding: bytes, as: UTF8.self) }
    var text: [UInt8] = []
    while let byte = bytes.popFirst() {
      guard byte == 0x25 else {
        text.append(byte)
        continue
      }
      guard let high = bytes.popFirst().flatMap(hexadecimal), let low = bytes.popFirst().flatMap(hexadecimal)
      else { return nil }
      text.append(high << 4 | low)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  /// Whether the text of values of a type is read back: of times, writers make several.
  static func areRead(_ type: DataType) -> Bool { literal("", type) != nil || type == .boolean }

  /// The value that ``KeyText`` made a text of; nil for types whose text is not read back.
  private static func literal(_ text: String, _ type: DataType) -> Literal? {
    switch type {
    case .string, .date: .string(text)
    case .int8, .int16, .int32, .int64, .decimal: .number(text)
    case .boolean: text == "true" ? true : text == "false" ? false : nil
    default: nil
    }
  }

  /// Whether a condition may be true for a row of the partition.
  func mayHold(_ condition: Condition) throws(FileGroupError) -> Bool {
    guard let row else { return true }
    do { return try condition.mayHold(row) } catch { throw FileGroupError(error) }
  }
}
