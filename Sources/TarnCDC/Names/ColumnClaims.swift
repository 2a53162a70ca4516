import TarnBytes
import TarnColumns

/// What names may go into which columns of a table, before the records themselves have told.
///
/// Most columns have their owner: the name that is noted for them, or their own. Of some it is open, and the records of
/// the batch decide, whose decision is then noted: of a column that ends in digits as those of names do that are not
/// kept, whether it is such a name's, or is called so itself; and, in a table where names have not been noted since
/// it was made, of a column that makes keys, partitions or order, whether `a-b` has gone into `a_b`, as it did
/// in earlier versions. There, wherever the column's own name comes, it is the owner.
struct ColumnClaims: Sendable {
  /// Which names own which columns, by what was known before.
  let owners: ColumnOwners
  /// The names that have columns, and these.
  private(set) var names: [(name: String, column: Int)] = []

  private let schema: Schema
  private let origin: ColumnName.Origin
  /// Whether each column's owner is open.
  private var open: [Bool]
  private let isReserved: [Bool]

  init(
    _ schema: Schema, _ origin: ColumnName.Origin, _ owners: ColumnOwners, roles: [String], isReserved: [Bool]
  ) {
    self.schema = schema
    self.origin = origin
    self.owners = owners
    self.isReserved = isReserved
    open = schema.fields.map { field in
      guard owners.name(of: field.name) == nil else { return false }
      return origin == .attributes && ColumnName.hasDigits(field.name)
        || !owners.isComplete && roles.contains(field.name)
    }
    for (column, field) in schema.fields.enumerated() where !isReserved[column] {
      let owner = owners.name(of: field.name)
      switch origin {
      case .attributes:
        if let owner {
          names.append((owner, column))
        } else if ColumnName.isKept(field.name, origin) {
          names.append((field.name, column))
        }
      // Rows as they are read from the table come with the columns' own names.
      case .members: names.append((field.name, column))
      }
    }
    guard origin == .members else { return }
    for (name, column) in owners.pairs where ColumnName.noted(name, origin, owners) != nil {
      guard schema.index(of: name) == nil, let index = schema.index(of: column) else { continue }
      names.append((name, index))
    }
  }

  /// Whether the records are to tell a column's owner.
  func isOpen(_ column: Int) -> Bool { open[column] }

  /// The column, whose owner is open, that a name without one may have.
  mutating func claim(_ name: String) -> Int? {
    guard ColumnName.noted(name, origin, owners) == nil else { return nil }
    let distinct = ColumnName.distinct(name, origin)
    if let column = schema.index(of: distinct), !isReserved[column], owners.name(of: distinct) == nil {
      open[column] = true
      return column
    }
    let simple = ColumnName.simple(name, origin).flatMap { schema.index(of: $0) }
    return simple.flatMap { open[$0] ? $0 : nil }
  }

  /// Notes the owner of a column whose owner was open.
  ///
  /// - Parameters:
  ///   - column: The column.
  ///   - names: The names that came and may have it.
  ///   - owners: Where it is noted.
  /// - Returns: The owner.
  func settle(_ column: Int, _ names: [String], _ owners: inout ColumnOwners) -> String {
    let own = schema.fields[column].name
    let isOwn = names.contains { ExactText($0) == ExactText(own) }
    let owner = isOwn ? own : names.min { $0.utf8.lexicographicallyPrecedes($1.utf8) } ?? own
    // A member called as the column says nothing of attributes, unless another member would have it.
    if !isOwn || origin == .attributes || names.count > 1 { owners.note(owner, owns: own) }
    return owner
  }
}
