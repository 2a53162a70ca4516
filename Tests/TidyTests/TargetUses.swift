/// What the files of a target use of one another.
struct TargetUses {
  /// One file names what another declares.
  struct Use {
    let from: FileNames
    let to: FileNames
    let name: String
    /// Whether no other file of the folder declares the name too.
    let isOfOneFile: Bool
  }

  /// Folders that lead back to themselves.
  struct Circle: CustomStringConvertible {
    let folders: [String]
    /// Each way from one of them to another, with an example.
    let ways: [String]

    var description: String {
      folders.map(TargetUses.shown).joined(separator: ", ") + "\n  " + ways.joined(separator: "\n  ")
    }
  }

  let files: [FileNames]
  private(set) var uses: [Use] = []

  /// - Parameter outside: Names that files may mean something else by.
  init(_ files: [FileNames], outside: Set<String> = []) {
    self.files = files
    var types: [String: Set<Int>] = [:]
    var members: [String: Set<Int>] = [:]
    var extended: [String: (type: String, files: Set<Int>)] = [:]
    for (index, file) in files.enumerated() {
      for name in file.types { types[name, default: []].insert(index) }
      for name in file.members { members[name, default: []].insert(index) }
      for (type, name) in file.extended { extended[name, default: (type, [])].files.insert(index) }
    }
    for (name, places) in types where !outside.contains(name) && members[name] == nil {
      add(name, places) { $0.uses(type: name) }
    }
    for (name, (type, places)) in extended where !outside.contains(name) && types[name] == nil {
      add(name, places.union(members[name] ?? [])) { $0.uses(member: name, of: type) }
    }
  }

  private mutating func add(_ name: String, _ places: Set<Int>, isUse: (FileNames) -> Bool) {
    guard let first = places.min(), Set(places.map { files[$0].folder }).count == 1 else { return }
    for (index, file) in files.enumerated() where !places.contains(index) && isUse(file) {
      uses.append(Use(from: file, to: files[first], name: name, isOfOneFile: places.count == 1))
    }
  }

  /// From each folder to the folders that its files use, with the uses.
  var ways: [String: [String: [Use]]] {
    var found: [String: [String: [Use]]] = [:]
    for use in uses where use.from.folder != use.to.folder {
      found[use.from.folder, default: [:]][use.to.folder, default: []].append(use)
    }
    return found
  }

  /// The circles, of whatever length; those that share a folder are one.
  var circles: [Circle] {
    let ways = ways
    var reached: [String: Set<String>] = [:]
    for folder in ways.keys {
      var open = [folder]
      while let next = open.popLast() {
        for other in (ways[next] ?? [:]).keys where reached[folder, default: []].insert(other).inserted {
          open.append(other)
        }
      }
    }
    var found: [Circle] = []
    for folder in reached.keys.sorted() where reached[folder]?.contains(folder) ?? false {
      if found.contains(where: { $0.folders.contains(folder) }) { continue }
      let others = reached[folder, default: []].filter { reached[$0]?.contains(folder) ?? false }.sorted()
      let within = others.flatMap { from in
        (ways[from] ?? [:]).filter { others.contains($0.key) }.sorted { $0.key < $1.key }
          .map { Self.shown(from, $0.key, $0.value) }
      }
      found.append(Circle(folders: others, ways: within))
    }
    return found
  }

  /// Uses of folders that do not come before in an order, and folders that it does not name or names in vain.
  func violations(of order: [String]) -> [String] {
    let folders = Set(files.map(\.folder))
    var found = folders.symmetricDifference(order).sorted().map { "\(Self.shown($0)): not in the order" }
    for (from, others) in ways {
      for (to, uses) in others {
        guard let user = order.firstIndex(of: from), let used = order.firstIndex(of: to), used > user else {
          continue
        }
        found.append(Self.shown(from, to, uses))
      }
    }
    return found.sorted()
  }

  /// Folders with more files than that.
  func folders(over limit: Int) -> [String] {
    Dictionary(grouping: files, by: \.folder).filter { $0.value.count > limit }
      .map { "\(Self.shown($0.key)): \($0.value.count) files" }.sorted()
  }

  /// Files that use more files of the target than that.
  func files(usingOver limit: Int) -> [String] {
    var used: [String: Set<String>] = [:]
    for use in uses where use.isOfOneFile { used[use.from.path, default: []].insert(use.to.path) }
    return used.filter { $0.value.count > limit }
      .map { path, others in
        "\(path): \(others.count) (\(others.map(Self.fileName).sorted().joined(separator: ", ")))"
      }
      .sorted()
  }

  private static func shown(_ folder: String) -> String {
    folder.isEmpty ? "the target's own folder" : folder
  }

  private static func shown(_ from: String, _ to: String, _ uses: [Use]) -> String {
    let examples = uses.map { "\(fileName($0.from.path)) uses \($0.name) of \(fileName($0.to.path))" }
    let some = examples.sorted().prefix(4).joined(separator: "; ")
    return "\(shown(from)) -> \(shown(to)): \(uses.count), \(some)"
  }

  private static func fileName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
