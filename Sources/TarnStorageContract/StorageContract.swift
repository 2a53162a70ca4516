public import TarnStorage

/// The contract of ``TarnStorage/Storage``, to be run over a storage that somebody wrote.
///
/// It uses no test framework: it says what was violated, and a test of whatever kind compares that with nothing.
///
/// ```swift
/// let violations = await StorageContract { MyStorage(folder: try newFolder()) }.violations()
/// for violation in violations { print(violation) }   // a test expects none
/// ```
///
/// What it cannot see is what happens where power, network or processes fail: that what was put is durable, and that
/// an answer which is lost is told as ``TarnStorage/StorageError/Code/unknown``.
public struct StorageContract: Sendable {
  private let makeStorage: @Sendable () async throws -> any Storage
  /// Objects of the clauses that need many: more than the storage takes in one request.
  let many: Int

  /// Makes a contract.
  ///
  /// - Parameters:
  ///   - many: Objects that are put, listed and deleted where there are to be many; choose more than the storage
  ///     takes in one request.
  ///   - makeStorage: Makes an empty storage, for each clause a new one. Make pages of its listings small where that
  ///     can be chosen, since only what has several pages shows how these join.
  public init(many: Int = 150, makeStorage: @escaping @Sendable () async throws -> any Storage) {
    self.makeStorage = makeStorage
    self.many = max(many, 2)
  }

  /// Runs every clause.
  ///
  /// - Returns: What was violated, in the order of the clauses; empty for a storage that keeps the contract.
  public func violations() async -> [ContractViolation] {
    var found: [ContractViolation] = []
    for clause in Self.clauses { found += await violations(of: clause) }
    return found
  }

  private func violations(of clause: Clause) async -> [ContractViolation] {
    let trial: Trial
    do { trial = Trial(try await makeStorage(), clause.rule, many: many) } catch {
      return [ContractViolation(.make, rule: clause.rule, expected: "an empty storage", seen: "\(error)")]
    }
    do { try await clause.run(trial) } catch is Stop {} catch {
      trial.report(.other, expected: "only errors of the type StorageError", seen: "\(error)")
    }
    return trial.violations
  }

  private static var clauses: [Clause] {
    listing + reading + putting + moving + writing + copying + deleting + paths + views
  }
}

/// What a storage did otherwise than ``TarnStorage/Storage`` says.
public struct ContractViolation: Sendable, Hashable, CustomStringConvertible {
  /// The verb that broke the contract; more may come.
  public struct Verb: Sendable, Hashable, CustomStringConvertible {
    /// The verb's name, as `put`.
    public let description: String

    private init(_ name: String) { description = name }

    /// The making of the storage, which is the caller's.
    public static let make = Verb("make")
    /// ``TarnStorage/Storage/list(prefix:after:stoppingAtSlash:continuation:)``.
    public static let list = Verb("list")
    /// ``TarnStorage/Storage/info(of:)``.
    public static let info = Verb("info")
    /// ``TarnStorage/Storage/get(_:limit:)``.
    public static let get = Verb("get")
    /// ``TarnStorage/Storage/read(_:range:into:)``.
    public static let read = Verb("read")
    /// ``TarnStorage/Storage/put(_:at:if:)``.
    public static let put = Verb("put")
    /// ``TarnStorage/Storage/move(_:to:)``.
    public static let move = Verb("move")
    /// ``TarnStorage/Storage/writer(at:)``.
    public static let writer = Verb("writer")
    /// ``TarnStorage/ObjectWriter/write(_:)``.
    public static let write = Verb("write")
    /// ``TarnStorage/ObjectWriter/copy(_:of:tag:)``.
    public static let copy = Verb("copy")
    /// ``TarnStorage/ObjectWriter/finish(if:)``.
    public static let finish = Verb("finish")
    /// ``TarnStorage/ObjectWriter/abandon()``.
    public static let abandon = Verb("abandon")
    /// ``TarnStorage/Storage/delete(_:)-([String])``.
    public static let delete = Verb("delete")
    /// Both ``TarnStorage/Storage/batch()`` and ``TarnStorage/Storage/settle()``.
    public static let batch = Verb("batch")
    /// ``TarnStorage/Storage/waiting(atMost:)``.
    public static let waiting = Verb("waiting")
    /// ``TarnStorage/Storage/keepOpen()``.
    public static let keepOpen = Verb("keepOpen")
    /// ``TarnStorage/Storage/removeUnfinished(before:)``.
    public static let removeUnfinished = Verb("removeUnfinished")
    /// No one verb.
    public static let other = Verb("other")
  }

  /// The verb.
  public let verb: Verb
  /// The part of the contract.
  public let rule: String
  /// What should have happened.
  public let expected: String
  /// What happened.
  public let seen: String

  init(_ verb: Verb, rule: String, expected: String, seen: String) {
    self.verb = verb
    self.rule = rule
    self.expected = expected
    self.seen = seen
  }

  /// All of it, in a line.
  public var description: String { "\(verb): \(rule): expected \(expected), saw \(seen)" }
}
