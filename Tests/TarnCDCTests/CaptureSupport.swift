import TarnBytes
import TarnCDC
import TarnColumns
import TarnCompression
import TarnStorage

/// A change record of the Kinesis shape.
func change(
  _ name: String = "INSERT", id: String = "1", new: String? = nil, old: String? = nil,
  time: Int = 1_705_312_800_000_000,
  keys: String? = nil
) -> String {
  var body = "\"ApproximateCreationDateTime\":\(time),\"Keys\":\(keys ?? "{\"id\":{\"S\":\"\(id)\"}}")"
  if let new { body += ",\"NewImage\":{\"id\":{\"S\":\"\(id)\"}\(new.isEmpty ? "" : ",")\(new)}" }
  if let old { body += ",\"OldImage\":{\"id\":{\"S\":\"\(id)\"}\(old.isEmpty ? "" : ",")\(old)}" }
  return "{\"eventID\":\"e\(id)\",\"eventName\":\"\(name)\",\"dynamodb\":{\(body),"
    + "\"ApproximateCreationDateTimePrecision\":\"MICROSECOND\"},\"eventSource\":\"aws:dynamodb\"}"
}

/// Reads everything of some files into a consumer and collects what was rejected.
func readAll(
  _ files: [(path: String, bytes: [UInt8])], into consumer: inout some RecordConsumer,
  chunk: Int = 1 << 20, recordLimit: Int = 64 << 20
) async throws -> [RejectedRecord] {
  let storage = InMemoryStorage()
  for file in files { try await storage.put(file.bytes, at: file.path, if: .always) }
  var options = RecordReader.Options()
  options.chunk = chunk
  options.recordLimit = recordLimit
  var reader = RecordReader(storage: storage, paths: files.map(\.path), options: options)
  var rejected: [RejectedRecord] = []
  let more = try await reader.read(to: &consumer, limit: .max) { rejected.append($0) }
  precondition(!more)
  return rejected
}

func readAll(
  _ text: String, into consumer: inout some RecordConsumer, chunk: Int = 1 << 20
) async throws -> [RejectedRecord] {
  try await readAll([("in.jsonl", Array(text.utf8))], into: &consumer, chunk: chunk)
}

extension RecordBatch {
  /// A column's values as text, "null" for null.
  func texts(_ name: String) -> [String] {
    guard let column = self[name] else { return [] }
    return (0..<count).map { row in
      if column.isNull(row) { return "null" }
      return switch column.values {
      case .boolean(let bits): "\(bits[row])"
      case .int8(let list): "\(list[row])"
      case .int16(let list): "\(list[row])"
      case .int32(let list): "\(list[row])"
      case .int64(let list): "\(list[row])"
      case .float(let list): "\(list[row])"
      case .double(let list): "\(list[row])"
      case .decimal(let list): "\(list[row])"
      case .bytes(let strings):
        column.type == .binary ? "\(strings[row].copied())" : strings.string(row)
      default: "?"
      }
    }
  }
}

extension Schema {
  /// Names and types as text.
  var summary: [String] { fields.map { "\($0.name): \($0.type.name)" } }
}

/// Compressed copies of text.
enum Deflated {
  static func gzip(_ text: [UInt8]) throws -> [UInt8] {
    var compressor = Compressor()
    var out: [UInt8] = []
    try compressor.gzip(text.span.bytes, into: &out)
    return out
  }

  static func zstd(_ text: [UInt8]) throws -> [UInt8] {
    var compressor = Compressor()
    var out: [UInt8] = []
    try compressor.zstd(text.span.bytes, level: 1, into: &out)
    return out
  }
}
