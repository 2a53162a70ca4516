import Foundation

/// Where a delivery stream puts an object.
///
/// By "Understand custom prefixes for Amazon S3 objects" and "Configure Amazon S3 object name format" in the Amazon Data
/// Firehose Developer Guide. Of the expressions it knows `!{timestamp:..}` with the letters `yyyy`, `MM`, `dd`, `HH`, `mm`
/// and `ss`, `!{partitionKeyFromLambda:..}` and `!{firehose:error-output-type}`.
struct ObjectPlace {
  /// The path: the prefix, evaluated, and a name with the stream's, its version, the time and a random part.
  ///
  /// - Parameters:
  ///   - time: The arrival of the oldest record in it, in milliseconds since 1970.
  ///   - keys: The keys for dynamic partitioning.
  ///   - errorType: What kind of failure the object is of; nil for one of records that were delivered.
  static func path(
    _ settings: Settings, time: Int64, id: String, keys: [String: String] = [:], errorType: String? = nil
  ) throws(PlaceError) -> String {
    let prefix = errorType == nil ? settings.prefix : settings.errorPrefix
    var path = ""
    var rest = prefix[...]
    var hasTime = false
    while let start = rest.firstRange(of: "!{") {
      path += rest[..<start.lowerBound]
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
        throw PlaceError(description: "the prefix \(prefix) has an expression without end")
      }
      let expression = rest[start.upperBound..<end].split(separator: ":", maxSplits: 1)
      switch (expression.first ?? "", expression.count > 1 ? expression[1] : "") {
      case ("timestamp", let pattern):
        hasTime = true
        path += text(time, String(pattern))
      case ("partitionKeyFromLambda", let name):
        guard let value = keys[String(name)] else {
          throw PlaceError(description: "the function gave no partition key \(name)")
        }
        path += value
      case ("firehose", "error-output-type"): path += errorType ?? ""
      default: throw PlaceError(description: "the prefix \(prefix) has an expression that is not known")
      }
      rest = rest[rest.index(after: end)...]
    }
    path += rest
    // Without a time of its own a prefix gets the hour.
    if !hasTime { path += text(time, "yyyy/MM/dd/HH/") }
    return path + settings.name + "-1-" + text(time, "yyyy-MM-dd-HH-mm-ss") + "-" + id
      + (errorType == nil ? ".gz" : "")
  }

  /// A time in UTC by a pattern of Java's DateTimeFormatter, in which text between single quotes stands for itself.
  private static func text(_ milliseconds: Int64, _ pattern: String) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
    let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
    var out = ""
    var isQuoted = false
    var rest = pattern[...]
    while let letter = rest.first {
      let run = rest.prefix { $0 == letter }.count
      rest = rest.dropFirst(run)
      if letter == "'" {
        if run % 2 == 1 { isQuoted.toggle() }
        continue
      }
      let value: Int? =
        switch letter {
        case "y": parts.year
        case "M": parts.month
        case "d": parts.day
        case "H": parts.hour
        case "m": parts.minute
        case "s": parts.second
        default: nil
        }
      guard !isQuoted, let value else {
        out += String(repeating: letter, count: run)
        continue
      }
      let digits = String(value)
      out += String(repeating: "0", count: max(run - digits.count, 0)) + digits
    }
    return out
  }
}

/// Why an object has no place.
struct PlaceError: Error, CustomStringConvertible {
  let description: String
}
