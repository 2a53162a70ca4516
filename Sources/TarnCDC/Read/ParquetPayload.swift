import TarnBytes
import TarnColumns

/// Makes change records again of rows that a delivery stream made of them.
///
/// A stream that converts its records to Parquet as they come, by the schema of a table of AWS Glue ("Convert your input
/// data format in Amazon Data Firehose"), leaves a column `dynamodb`: a structure, or JSON text where the table says
/// string. Of that table are the names in lower case, nulls for what a record lacks, the tags that an attribute value
/// does not have among them, and numbers where it says so.
struct ParquetPayload {
  /// What stands at a place, by whose rules it is written.
  private enum Part {
    case record, identity, body, item, value, list
    /// Anything else, copied as it is.
    case other
  }

  private static let names: [String: String] = {
    let known = [
      "eventName", "eventID", "tableName", "eventSource", "eventSourceARN", "userIdentity", "dynamodb",
      "principalId", "Keys", "NewImage", "OldImage", "ApproximateCreationDateTime",
      "ApproximateCreationDateTimePrecision", "SequenceNumber", "SubsequenceNumber",
    ]
    return Dictionary(known.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
  }()
  private static let tags: Set = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]

  /// How deep values may lie within one another; others are copied as they are.
  private static let depthLimit = 64

  /// Whether rows of a schema are such records.
  static func isOne(_ schema: Schema) -> Bool {
    schema.names.contains { $0.lowercased() == "dynamodb" }
  }

  /// Appends the records of rows that are lines of JSON.
  static func append(_ lines: [UInt8], to out: inout [UInt8]) {
    var scanner = JSONScanner(lines.span.bytes)
    while !scanner.isAtEnd() {
      let start = (scanner.offset, out.count)
      do {
        try append(.record, &scanner, depth: 0, to: &out)
        out.append(0x0a)
      } catch {
        // The lines are our own, so that this is not to be: the reader of records says what is wrong.
        out.removeSubrange(start.1...)
        out += lines[start.0...]
        return
      }
    }
  }

  /// Appends the value that comes next.
  @_lifetime(scanner: copy scanner)
  private static func append(
    _ part: Part, _ scanner: inout JSONScanner, depth: Int, to out: inout [UInt8]
  ) throws(JSONError) {
    let kind = try scanner.peek()
    if part == .other || depth > depthLimit { return out.append(scanner.raw(try scanner.skipValue())) }
    switch kind {
    case .object: try appendObject(part, &scanner, depth: depth, to: &out)
    case .array where part == .list:
      out.append(0x5b)
      try scanner.beginArray()
      var isFirst = true
      while try scanner.nextElement() {
        if !isFirst { out.append(0x2c) }
        isFirst = false
        try append(.value, &scanner, depth: depth + 1, to: &out)
      }
      out.append(0x5d)
    case .string:
      let text = try scanner.readString()
      var inner: [UInt8] = []
      scanner.append(text, to: &inner)
      if let json = document(inner, part, depth: depth) {
        out += json
      } else {
        out.append(0x22)
        out.append(scanner.raw(text))
        out.append(0x22)
      }
    default: out.append(scanner.raw(try scanner.skipValue()))
    }
  }

  /// The object or array that a text is; nil where it is neither.
  private static func document(_ text: [UInt8], _ part: Part, depth: Int) -> [UInt8]? {
    guard let first = text.first, first == 0x7b || first == 0x5b else { return nil }
    var scanner = JSONScanner(text.span.bytes)
    var out: [UInt8] = []
    guard (try? append(part, &scanner, depth: depth + 1, to: &out)) != nil, scanner.isAtEnd() else {
      return nil
    }
    return out
  }

  @_lifetime(scanner: copy scanner)
  private static func appendObject(
    _ part: Part, _ scanner: inout JSONScanner, depth: Int, to out: inout [UInt8]
  ) throws(JSONError) {
    try scanner.beginObject()
    out.append(0x7b)
    var isFirst = true
    while let key = try scanner.nextKey() {
      let isNull = try scanner.peek() == .null
      guard !isNull else {
        try scanner.readNull()
        continue
      }
      if !isFirst { out.append(0x2c) }
      isFirst = false
      let name = scanner.string(key)
      let written = written(name, in: part)
      out.append(0x22)
      if let written { out.append(text: written) } else { out.append(scanner.raw(key)) }
      out.append(text: "\":")
      if part == .value, written == "N", try scanner.peek() == .number {
        out.append(0x22)
        out.append(scanner.raw(try scanner.readNumber()))
        out.append(0x22)
      } else {
        try append(inner(written, in: part), &scanner, depth: depth + 1, to: &out)
      }
    }
    out.append(0x7d)
  }

  /// How a member is called in records; nil where as it stands.
  private static func written(_ name: String, in part: Part) -> String? {
    switch part {
    case .record, .identity, .body: names[name.lowercased()]
    case .value: tags.contains(name.uppercased()) ? name.uppercased() : nil
    case .item, .list, .other: nil
    }
  }

  private static func inner(_ name: String?, in part: Part) -> Part {
    switch (part, name) {
    case (.record, "dynamodb"): .body
    case (.record, "userIdentity"): .identity
    case (.body, "Keys"), (.body, "NewImage"), (.body, "OldImage"), (.value, "M"): .item
    case (.value, "L"): .list
    case (.item, _): .value
    default: .other
    }
  }
}
