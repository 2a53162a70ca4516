extension ParquetFile {
  /// The file's own schema in the form that Parquet tools share: `message schema { required int64 id; }`.
  public var schemaText: String {
    var position = 0
    var lines: [String] = []
    Self.append(metadata.schema, &position, depth: 0, to: &lines)
    return lines.joined(separator: "\n") + "\n"
  }

  /// Appends the element at a position and all below it; the tree was checked when the file was opened.
  private static func append(
    _ elements: [SchemaElement], _ position: inout Int, depth: Int, to lines: inout [String]
  ) {
    guard position < elements.count else { return }
    let element = elements[position]
    position += 1
    let indent = String(repeating: "  ", count: depth)
    let annotation = element.effectiveLogical.map { " (\($0.text))" } ?? ""
    let head = depth == 0 ? "message \(element.name)" : element.head + annotation
    guard element.physical == nil else {
      lines.append(indent + head + ";")
      return
    }
    lines.append(indent + head + " {")
    for _ in 0..<(element.childCount ?? 0) { append(elements, &position, depth: depth + 1, to: &lines) }
    lines.append(indent + "}")
  }
}

extension SchemaElement {
  /// Repetition, type, name and number.
  fileprivate var head: String {
    let repetition =
      switch self.repetition {
      case .required, nil: "required"
      case .optional: "optional"
      case .repeated: "repeated"
      }
    let type =
      switch physical {
      case nil: "group"
      case .fixedByteArray: "fixed_len_byte_array(\(byteLength ?? 0))"
      case .boolean: "boolean"
      case .int32: "int32"
      case .int64: "int64"
      case .int96: "int96"
      case .float: "float"
      case .double: "double"
      case .byteArray: "binary"
      }
    return "\(repetition) \(type) \(name)" + (fieldID.map { " = \($0)" } ?? "")
  }
}

extension LogicalType {
  /// The format's name with its parameters.
  fileprivate var text: String {
    switch self {
    case .string: "STRING"
    case .map: "MAP"
    case .list: "LIST"
    case .enumeration: "ENUM"
    case .date: "DATE"
    case .unknown: "UNKNOWN"
    case .json: "JSON"
    case .bson: "BSON"
    case .uuid: "UUID"
    case .float16: "FLOAT16"
    case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
    case .time(let isUTC, let unit): "TIME(\(unit.text),\(isUTC))"
    case .timestamp(let isUTC, let unit): "TIMESTAMP(\(unit.text),\(isUTC))"
    case .integer(let bits, let isSigned): "INTEGER(\(bits),\(isSigned))"
    case .other(let number): "number \(number)"
    }
  }
}

extension LogicalType.Unit {
  fileprivate var text: String {
    switch self {
    case .milliseconds: "MILLIS"
    case .microseconds: "MICROS"
    case .nanoseconds: "NANOS"
    }
  }
}
