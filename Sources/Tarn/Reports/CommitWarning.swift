/// What a commit's maker should know, though the commit stands.
public struct CommitWarning: Sendable, Hashable, CustomStringConvertible {
  /// The kinds; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name.
    public var description: String { name }

    /// The commit stands, and appears when the next process of Tarn's writes: the storage failed at its very end.
    public static let notYetVisible = Code("notYetVisible")
    /// Another engine committed on the same file groups meanwhile, without a look at this one.
    public static let foreignCommit = Code("foreignCommit")
    /// The commit stands, and the clean, archive or clustering that was due behind it failed; it is tried again behind a
    /// later one.
    public static let serviceFailed = Code("serviceFailed")
  }

  /// The kind.
  public let code: Code
  /// What happened, for people.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
