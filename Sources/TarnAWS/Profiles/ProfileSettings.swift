/// The settings of one section, which no text of them shows: keys are among them.
struct ProfileSettings: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  private var values: [String: String] = [:]

  subscript(_ name: String) -> String? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// These, and what others say where these say nothing.
  func completed(by others: ProfileSettings) -> ProfileSettings {
    var all = self
    all.values.merge(others.values) { own, _ in own }
    return all
  }

  var description: String { "\(values.count) settings" }

  var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
