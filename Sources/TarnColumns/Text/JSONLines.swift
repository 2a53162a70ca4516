internal import TarnBytes

/// Writes rows of one schema as lines of JSON: an object a row, with the columns in order, nulls written.
///
/// The texts of some rows are made column by column, so that the type is asked for once a column and not for each value.
public struct JSONLines: Sendable {
  /// What stands around the values of a column.
  private struct Frame: Sendable {
    let head: LineAssembly.Padded
    let foot: LineAssembly.Padded
    /// The same with quotes, for strings in which nothing is escaped.
    let quotedHead: LineAssembly.Padded
    let quotedFoot: LineAssembly.Padded
  }

  private let frames: [Frame]
  private var texts: [ColumnTexts]
  private var assembly = LineAssembly()

  /// Rows whose lines are made at once, and about how many bytes their values take, save where one takes more.
  private static let (stepRows, stepBytes) = (512, 128 << 10)

  /// Makes what writes rows of a schema.
  public init(_ schema: Schema) {
    let count = schema.fields.count
    frames = schema.fields.enumerated().map { index, field in
      var head: [UInt8] = [index == 0 ? 0x7b : 0x2c]
      head.appendJSON(string: field.name)
      head.append(0x3a)
      let foot: [UInt8] = index + 1 == count ? [0x7d, 0x0a] : []
      return Frame(
        head: LineAssembly.Padded(head), foot: LineAssembly.Padded(foot),
        quotedHead: LineAssembly.Padded(head + [0x22]), quotedFoot: LineAssembly.Padded([0x22] + foot))
    }
    texts = [ColumnTexts](repeating: ColumnTexts(.json), count: count)
  }

  /// Appends the lines of the first of some rows, of which there is at least one: as many as are made at once.
  ///
  /// - Parameters:
  ///   - rows: The rows of the batch that are to be written.
  ///   - batch: A batch with the columns of the schema.
  /// - Returns: The rest of the rows.
  public mutating func append(
    firstOf rows: Range<Int>, of batch: RecordBatch, to out: inout [UInt8]
  ) -> Range<Int> {
    let most = rows.prefix(Self.stepRows)
    let part = batch.first(of: most, atMost: Self.stepBytes, isWrittenOut: true)
    let rest = part.upperBound..<rows.upperBound
    guard !frames.isEmpty else {
      for _ in part { out.append(text: "{}\n") }
      return rest
    }
    let plain = batch.columns.map { $0.plainStrings(part) }
    var bytesEach = 0
    for (index, frame) in frames.enumerated() {
      bytesEach +=
        plain[index] == nil
        ? frame.head.count + frame.foot.count : frame.quotedHead.count + frame.quotedFoot.count
    }
    assembly.begin(lines: part.count, bytesEach: bytesEach)
    for (index, column) in batch.columns.enumerated() {
      if let strings = plain[index] {
        texts[index].note(strings, part)
      } else {
        texts[index].make(column, part)
      }
      assembly.measure(texts[index].offsets)
    }
    assembly.open(in: &out)
    for (index, frame) in frames.enumerated() {
      let offsets = texts[index].offsets
      if let bytes = plain[index]?.bytes {
        assembly.copy(
          head: frame.quotedHead, bytes.span.bytes, offsets, foot: frame.quotedFoot, to: &out)
      } else {
        let bytes = texts[index].bytes
        assembly.copy(head: frame.head, bytes.span.bytes, offsets, foot: frame.foot, to: &out)
      }
    }
    return rest
  }
}

extension Column {
  /// The strings of a column of text of which a range has neither nulls nor bytes to be escaped; nil otherwise.
  fileprivate func plainStrings(_ rows: Range<Int>) -> ByteStrings? {
    guard type == .string, validity == nil, case .bytes(let strings) = values, let last = rows.last else {
      return nil
    }
    let part = strings.range(rows.lowerBound).lowerBound..<strings.range(last).upperBound
    return strings.bytes.span.bytes.extracting(part).isPlainJSON ? strings : nil
  }
}
