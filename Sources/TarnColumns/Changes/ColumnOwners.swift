internal import TarnBytes

/// Which name of records owns which column of a table, where the column's own name does not tell.
///
/// Records may have names that no column can have, such as `user-id`, which then go to a column of another name.
/// What is noted here keeps each column with one name, and each name with one column, from batch to batch. Names are
/// told apart by their bytes, columns as they are written. Beside it stands what the values of a column were where its
/// type does not tell it.
public struct ColumnOwners: Sendable, Hashable {
  /// Whether every column that is not noted belongs to the name that it has itself.
  ///
  /// So it is where names were noted since the table was made. Into the columns of other tables, other names may
  /// have gone before.
  public let isComplete: Bool
  private var names: [String: ExactText] = [:]
  private var columns: [ExactText: String] = [:]
  private var kinds: [String: Set<String>] = [:]

  /// How many names are noted at most.
  public static let limit = 10_000
  /// How many bytes of names and columns are noted at most.
  public static let byteLimit = 1 << 20

  /// Bytes of the names and columns that are noted.
  public private(set) var byteCount = 0

  /// Notes nothing yet.
  public init(isComplete: Bool = true) { self.isComplete = isComplete }

  /// The column of a name; nil where none is noted.
  public func column(of name: String) -> String? { columns[ExactText(name)] }

  /// The name that owns a column; nil where none is noted.
  public func name(of column: String) -> String? { names[column]?.text }

  /// The names and their columns, in the order of these.
  public var pairs: [(name: String, column: String)] {
    names.sorted { $0.key < $1.key }.map { ($0.value.text, $0.key) }
  }

  /// Number of names that are noted.
  public var count: Int { names.count }

  /// Whether names, or their columns, take more room than the properties of a table have for them.
  public var isTooLarge: Bool { count > Self.limit || byteCount > Self.byteLimit }

  /// Notes that a name owns a column.
  ///
  /// - Returns: Whether that holds now; false, and nothing changed, where the name has another column, or the column
  ///   another name.
  @discardableResult
  public mutating func note(_ name: String, owns column: String) -> Bool {
    let exact = ExactText(name)
    let (known, owner) = (columns[exact], names[column])
    guard known != nil || owner != nil else {
      names[column] = exact
      columns[exact] = column
      byteCount += name.utf8.count + column.utf8.count
      return true
    }
    return known == column && owner == exact
  }

  /// What the records' values were that came into a column, in order, where the column's type does not tell it.
  ///
  /// They are DynamoDB's type tags, such as `SS` where the texts of a string column are JSON of string sets, or the unit
  /// that numbers counted which became timestamps, such as `epoch-seconds`. Empty where nothing is noted.
  public func kinds(of column: String) -> [String] { kinds[column].map { $0.sorted() } ?? [] }

  /// The columns of which ``kinds(of:)`` are noted, in order.
  public var columnsWithKinds: [String] { kinds.keys.sorted() }

  /// Notes what values were that came into a column, beside what is noted.
  public mutating func note(_ kinds: [String], of column: String) {
    guard !kinds.isEmpty else { return }
    self.kinds[column, default: []].formUnion(kinds)
  }

  /// Notes what others note, too.
  ///
  /// - Returns: A column, or the name of one, about which they contradict one another; nil where they do not.
  public mutating func formUnion(_ others: ColumnOwners) -> String? {
    for (name, column) in others.pairs where !note(name, owns: column) { return column }
    kinds.merge(others.kinds) { $0.union($1) }
    return nil
  }

  /// The column that a word of a user's means: the column of that name, else that of the records' name.
  public func column(meaning word: String, in schema: Schema) -> String {
    schema.index(of: word) == nil ? column(of: word) ?? word : word
  }
}
