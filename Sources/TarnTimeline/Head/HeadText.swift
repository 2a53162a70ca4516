import TarnBytes

/// Why bytes are no head.
package enum HeadError: Error, Sendable, Hashable {
  /// They are none, or have none of its form.
  case damaged(String)
  /// A later build wrote it.
  case later(format: Int64)
}

/// The form of a head: one JSON object.
enum HeadText {
  static func text(of head: Head) -> JSONValue {
    // Heads of builds that know of none, and of storages that have none, are without it.
    .object(
      members(of: head) + deletedSavepoints(of: head) + readers(of: head)
        + (head.archivedThrough.map { [.init("archivedThrough", .string($0.text))] } ?? [])
        + (head.findings.map { [.init("storage", .string($0))] } ?? []))
  }

  private static func deletedSavepoints(of head: Head) -> [JSONValue.Member] {
    guard !head.deletedSavepoints.isEmpty else { return [] }
    return [
      .init(
        "deletedSavepoints",
        .array(
          head.deletedSavepoints.map {
            .object([.init("instant", text($0.commit)), .init("time", text($0.time))])
          }))
    ]
  }

  private static func readers(of head: Head) -> [JSONValue.Member] {
    guard !head.readers.isEmpty else { return [] }
    return [
      .init(
        "readers",
        .array(
          head.readers.map { reader in
            .object(
              [.init("name", .string(reader.name)), .init("instant", text(reader.instant))]
                + (reader.expiry.map { [.init("expiry", .integer($0))] } ?? []))
          }))
    ]
  }

  private static func members(of head: Head) -> [JSONValue.Member] {
    [
      .init("format", .integer(head.readers.isEmpty ? Head.firstFormat : Head.format)),
      .init("mark", .string(head.mark)),
      .init("epoch", .string(head.epoch)),
      .init("sequence", .integer(head.sequence)),
      .init("known", .array(head.known.instants.map { .string($0.text) })),
      .init("knownBefore", text(head.known.bound)),
      .init("foreign", .array(head.foreign.map { .string($0.text) })),
      .init("doubtful", .array(head.doubtful.map { .string($0.text) })),
      .init("named", .array(head.named.map(text))),
      .init("recent", .array(head.recent.map(text))),
      .init(
        "applications",
        .array(
          head.applications.map {
            .object([
              .init("name", .string($0.application)), .init("version", .integer($0.version)),
              .init("instant", text($0.instant)),
            ])
          })),
    ]
  }

  private static func text(_ instant: Instant?) -> JSONValue { instant.map { .string($0.text) } ?? .null }

  private static func text(_ decision: NamedDecision) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("instant", text(decision.instant)),
      .init("sequence", decision.sequence.map { .integer($0) } ?? .null),
    ]
    switch decision.kind {
    case .commit(let content, let action):
      members += [.init("action", .string(action.rawValue)), .init("content", .string(content))]
    case .rollback(let target, let contents):
      members += [.init("action", .string("rollback")), .init("of", text(target))] + text(contents)
    case .clean(let contents): members += [.init("action", .string("clean"))] + text(contents)
    case .savepoint(let commit, let contents):
      members += [.init("action", .string("savepoint")), .init("of", text(commit))] + text(contents)
    case .savepointDeletion(let commit):
      members += [.init("action", .string("savepoint-deletion")), .init("of", text(commit))]
    case .restore(let target, let contents):
      members += [.init("action", .string("restore")), .init("to", text(target))] + text(contents)
    case .commitRollback(let commit, let contents):
      members += [.init("action", .string("commit-rollback")), .init("of", text(commit))] + text(contents)
    case .archive(let archived):
      members += [
        .init("action", .string("archive")), .init("content", .string(archived.content)),
        .init("file", .string(archived.file)),
        .init("instants", .array(archived.entries.map { .string($0.fileName) })),
      ]
      // A build that does not know it leaves the file, whose records are then in two.
      if let replaced = archived.replaced { members.append(.init("replaced", .string(replaced))) }
    }
    return .object(members)
  }

  private static func text(_ contents: ServiceContents) -> [JSONValue.Member] {
    [
      .init("plan", .text(contents.plan)), .init("inflight", .text(contents.inflight)),
      .init("completed", .text(contents.completed)),
    ]
  }

  private static func text(_ decision: RecentDecision) -> JSONValue {
    .object([
      .init("sequence", .integer(decision.sequence)), .init("instant", text(decision.instant)),
      .init("files", decision.files.map { .array($0.map { .string($0) }) } ?? .null),
      .init("replaced", decision.replaced.map { .array($0.map { .string($0) }) } ?? .null),
      .init("deletions", .boolean(decision.keepsDeletions)),
      .init("schema", .text(decision.schema)), .init("foreign", .boolean(decision.isForeign)),
    ])
  }
}

extension Head {
  /// Reads a head.
  ///
  /// - Throws: ``HeadError``.
  package init(parsing bytes: [UInt8]) throws(HeadError) {
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw .damaged("it is not JSON: \(error.description)")
    }
    let object = try Members(json, "it")
    let format = try object.number("format")
    guard format <= Self.format else { throw .later(format: format) }
    guard format >= Self.firstFormat else { throw .damaged("its format is \(format)") }
    self.init(
      mark: try object.string("mark"), epoch: try object.string("epoch"),
      sequence: try object.number("sequence"),
      named: try object.list("named").map { json throws(HeadError) in try NamedDecision(json) },
      recent: try object.list("recent").map { json throws(HeadError) in try RecentDecision(json) },
      applications: try object.list("applications").map { json throws(HeadError) in
        let object = try Members(json, "an application")
        return ApplicationVersion(
          try object.string("name"), try object.number("version"), try object.instant("instant"))
      },
      known: KnownCommits(
        try object.instants("known"),
        before: object["knownBefore"] == nil ? nil : try object.instant("knownBefore")),
      foreign: try object.instants("foreign"), doubtful: try object.instants("doubtful"),
      deletedSavepoints: object["deletedSavepoints"] == nil
        ? []
        : try object.list("deletedSavepoints").map { json throws(HeadError) in
          let object = try Members(json, "a deleted savepoint")
          return DeletedSavepoint(try object.instant("instant"), at: try object.instant("time"))
        },
      readers: object["readers"] == nil
        ? []
        : try object.list("readers").map { json throws(HeadError) in
          let object = try Members(json, "a reader")
          return RetainedReader(
            try object.string("name"), from: try object.instant("instant"),
            expiry: object["expiry"] == nil ? nil : try object.number("expiry"))
        },
      archivedThrough: object["archivedThrough"] == nil ? nil : try object.instant("archivedThrough"),
      findings: object["storage"] == nil ? nil : try object.string("storage"))
    guard TablePosition("\(epoch)-\(sequence)") != nil, sequence < 1 << 53 else {
      throw .damaged("its epoch is not hexadecimal, or its sequence no count")
    }
  }
}

extension NamedDecision {
  fileprivate init(_ json: JSONValue) throws(HeadError) {
    let object = try Members(json, "a named decision")
    let kind: Kind
    switch try object.string("action") {
    case "commit": kind = .commit(content: try object.string("content"))
    case "replacecommit": kind = .commit(content: try object.string("content"), action: .replacecommit)
    case "rollback": kind = .rollback(of: try object.instant("of"), try object.contents())
    case "clean": kind = .clean(try object.contents())
    case "savepoint":
      kind = .savepoint(of: try object.instant("of"), try object.contents(hasPlan: false))
    case "savepoint-deletion": kind = .savepointDeletion(of: try object.instant("of"))
    case "restore": kind = .restore(to: try object.instant("to"), try object.contents())
    case "commit-rollback": kind = .commitRollback(of: try object.instant("of"), try object.contents())
    case "archive": kind = .archive(try object.archived())
    case let action: throw .damaged("it names a decision \(action.prefix(40))")
    }
    let instant = try object.instant("instant")
    self.init(
      instant, sequence: object["sequence"] == nil ? nil : try object.number("sequence"), kind)
    // Nothing else is ever moved to the timeline.
    for path in contents {
      guard path.hasPrefix(TablePaths.folder),
        DecisionContent(fileName: path.dropFirst(TablePaths.folder.count))?.instant == instant
      else { throw .damaged("it names the content \(path.prefix(80)) of decision \(instant)") }
    }
  }
}

extension RecentDecision {
  fileprivate init(_ json: JSONValue) throws(HeadError) {
    let object = try Members(json, "a recent decision")
    self.init(
      sequence: try object.number("sequence"), try object.instant("instant"),
      files: object["files"] == nil ? nil : try object.strings("files"),
      replaced: object["replaced"] == nil ? [] : try object.strings("replaced"),
      keepsDeletions: object["deletions"]?.boolean ?? true,
      schema: object["schema"] == nil ? nil : try object.string("schema"),
      isForeign: object["foreign"]?.boolean ?? false)
    if object["replaced"] == nil { replaced = nil }
  }
}

/// The members of a JSON object, each of which must be what is asked for.
private struct Members {
  private let name: String
  private let values: [String: JSONValue]

  init(_ json: JSONValue, _ name: String) throws(HeadError) {
    guard let members = json.members else { throw .damaged("\(name) is no JSON object") }
    self.name = name
    values = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
  }

  /// A member; nil where it is missing or null.
  subscript(key: String) -> JSONValue? { values[key].flatMap { $0 == .null ? nil : $0 } }

  func number(_ key: String) throws(HeadError) -> Int64 {
    guard let number = self[key]?.int64 else { throw .damaged("\(name) has no number \(key)") }
    return number
  }

  func string(_ key: String) throws(HeadError) -> String {
    guard let text = self[key]?.string else { throw .damaged("\(name) has no text \(key)") }
    return text
  }

  func instant(_ key: String) throws(HeadError) -> Instant {
    guard let instant = Instant(try string(key)) else { throw .damaged("\(name) has no instant \(key)") }
    return instant
  }

  func instants(_ key: String) throws(HeadError) -> [Instant] {
    let texts = try strings(key)
    let instants = texts.compactMap { Instant($0) }
    guard instants.count == texts.count else {
      throw .damaged("\(name) has something other than instants in \(key)")
    }
    return instants
  }

  func list(_ key: String) throws(HeadError) -> [JSONValue] {
    guard let elements = self[key]?.elements else { throw .damaged("\(name) has no list \(key)") }
    return elements
  }

  /// Where the files of a service lie.
  ///
  /// - Parameter hasPlan: Whether such a service has one.
  func contents(hasPlan: Bool = true) throws(HeadError) -> ServiceContents {
    ServiceContents(
      plan: hasPlan ? try string("plan") : nil, inflight: try string("inflight"),
      completed: try string("completed"))
  }

  /// What leaves the timeline for the archive.
  func archived() throws(HeadError) -> ArchivedInstants {
    let file = try string("file")
    let names = try strings("instants")
    let entries = names.compactMap { TimelineEntry(fileName: $0) }.filter { $0.state == .completed }
    let replaced = self["replaced"] == nil ? nil : try string("replaced")
    // Nothing else is ever removed, and nothing else is replaced.
    guard entries.count == names.count,
      ([file] + (replaced.map { [$0] } ?? [])).allSatisfy(ArchivedTimeline.isOwnFile),
      replaced != file
    else {
      throw .damaged("it names what is no completed instant, or no file of an archive: \(file.prefix(80))")
    }
    return ArchivedInstants(
      content: try string("content"), file: file, replaced: replaced, entries: entries)
  }

  func strings(_ key: String) throws(HeadError) -> [String] {
    let texts = try list(key)
    let strings = texts.compactMap(\.string)
    guard strings.count == texts.count else {
      throw .damaged("\(name) has something other than texts in \(key)")
    }
    return strings
  }
}
