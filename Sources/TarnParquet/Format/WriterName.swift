/// The name by which a file tells that Tarn wrote it, and what is known of such files.
///
/// Files of the first build may have bounds that leave a NaN out, and keys of another writer that Tarn would not make.
/// It stands in `created_by`, which nobody copies from file to file, as some do key-value metadata.
public enum WriterName {
  /// What this version calls itself.
  public static let current = "tarn version 0.1.0 (build 2)"

  /// The first build whose bounds leave no NaN out.
  private static let buildMindingNaN = 2
  /// The first build that looks at the keys which another writer stored.
  private static let buildComparingKeys = 2

  /// Whether files of a writer have no bounds, or infinite ones, where a page or chunk holds a NaN.
  static func mindsNaN(_ name: String?) -> Bool {
    build(name).map { $0 >= buildMindingNaN } ?? false
  }

  /// Whether a writer takes over no rows of a file whose stored keys are not what it makes of their fields.
  static func comparesKeys(_ name: String?) -> Bool {
    build(name).map { $0 >= buildComparingKeys } ?? false
  }

  /// The build of Tarn that calls itself so; nil for another writer.
  private static func build(_ name: String?) -> Int? {
    guard let name, name.hasPrefix("tarn version "), name.hasSuffix(")") else { return nil }
    let parts = name.dropLast().split(separator: " ")
    guard parts.count == 5, parts[3] == "(build" else { return nil }
    return Int(parts[4])
  }
}
