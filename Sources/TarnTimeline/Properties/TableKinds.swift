/// How a table takes changes.
public enum TableType: String, Sendable, Hashable {
  /// A change writes new versions of whole files.
  case copyOnWrite = "COPY_ON_WRITE"
  /// A change is logged beside the files.
  case mergeOnRead = "MERGE_ON_READ"
}

/// The versions of Hudi's table format.
public enum TableVersion: Int, Sendable, Hashable {
  /// Of releases 0.14 and 0.15.
  case six = 6
  /// Of releases 1.0.
  case eight = 8
  /// Of releases 1.1 and 1.2.
  case nine = 9

  /// Where the timeline lies and what its files are called and hold.
  public var layout: TimelineLayout { self == .six ? .one : .two }
}

/// Where the timeline lies and what its files are called and hold.
public enum TimelineLayout: Int, Sendable, Hashable {
  /// Directly in `.hoodie/`, JSON.
  case one = 1
  /// In `.hoodie/timeline/`, completed files named with their completion time too, Avro.
  case two = 2
}

/// How keys and partition paths are made of a row's columns.
public enum KeyGenerator: Sendable, Hashable {
  /// One key field, one partition field.
  case simple
  /// Several fields of either kind.
  case complex
  /// No partition field.
  case nonPartitioned
  /// The partition path is a formatted time.
  case timestamp
  /// A kind for each partition field.
  case custom
  /// Any other, by its class or type.
  case other(String)

  /// The Java class that means it; nil for ``other(_:)``.
  public var className: String? {
    let name: String
    switch self {
    case .simple: name = "Simple"
    case .complex: name = "Complex"
    case .nonPartitioned: name = "Nonpartitioned"
    case .timestamp: name = "TimestampBased"
    case .custom: name = "Custom"
    case .other: return nil
    }
    return "org.apache.hudi.keygen." + name + "KeyGenerator"
  }

  /// The generator a Java class means, its twins for Avro included.
  public init(className: String) {
    var name = className.split(separator: ".").last.map(String.init) ?? className
    if name.hasSuffix("AvroKeyGenerator") {
      name = name.dropLast("AvroKeyGenerator".count) + "KeyGenerator"
    }
    switch name {
    case "SimpleKeyGenerator": self = .simple
    case "ComplexKeyGenerator": self = .complex
    case "NonpartitionedKeyGenerator": self = .nonPartitioned
    case "TimestampBasedKeyGenerator": self = .timestamp
    case "CustomKeyGenerator": self = .custom
    default: self = .other(className)
    }
  }

  /// The generator that `hoodie.table.keygenerator.type` names.
  public init(type: String) {
    switch type {
    case "SIMPLE", "SIMPLE_AVRO": self = .simple
    case "COMPLEX", "COMPLEX_AVRO": self = .complex
    case "NON_PARTITION", "NON_PARTITION_AVRO": self = .nonPartitioned
    case "TIMESTAMP", "TIMESTAMP_AVRO": self = .timestamp
    case "CUSTOM", "CUSTOM_AVRO": self = .custom
    default: self = .other(type)
    }
  }

  /// The generator for that many key and partition fields, such that Spark of every version reads it alike.
  package static func standard(keyFields: Int, partitionFields: Int) -> KeyGenerator {
    if partitionFields == 0 { return .nonPartitioned }
    if keyFields > 1 { return .complex }
    // Spark 0.15 and 1.2 disagree about a complex generator with a single key field.
    return partitionFields == 1 ? .simple : .custom
  }
}

/// What decides between two rows of one key, where Spark writes.
package enum PayloadClass {
  /// The greater ordering value, also against the stored row.
  package static let greatestOrdering = "org.apache.hudi.common.model.DefaultHoodieRecordPayload"
  /// The later commit.
  package static let latestCommit = "org.apache.hudi.common.model.OverwriteWithLatestAvroPayload"
}
