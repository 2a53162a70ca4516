public import TarnColumns

/// What records have told of columns, while a builder made rows of them.
public struct FoundColumns: Sendable {
  /// The names that were left out since they have no column: a nullable field for each, with the type that holds all
  /// values seen, how often it was seen, and what is odd about its values.
  ///
  /// A name that was null in all records tells no type, and is not among them.
  public let newFields: [(field: Field, count: Int, warning: String?)]
  /// The names that were left out since they have no column, and were null in all records.
  public let untypedNames: [String]
  /// The columns that had numbers which they do not hold, with types that hold these and all that the columns did.
  ///
  /// The values are left out, until the builder's `completed(_:)` fills them in, or the records are read again by a
  /// builder that is given these types.
  public let widerFields: [Field]
  /// The timestamp columns into which texts without zone have gone.
  public let zonelessColumns: [String]
  /// Which names own which columns, those of ``newFields`` among them: what the next builder, and the table, must know.
  public let owners: ColumnOwners
}
