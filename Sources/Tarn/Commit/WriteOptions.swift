/// What a write's commit carries beside its rows.
public struct WriteOptions: Sendable, Hashable {
  /// Which version of an application the write is.
  ///
  /// Each version is written once: asked again, the write gives the report of the commit that stands, and an older version
  /// is an error. So a caller that was not told what became of a write, or died, asks again and doubles nothing, and one
  /// that slept cannot set back how far it has come.
  public var transaction: WriteTransaction?
  /// Texts under keys of the caller's own, which stand in the commit's extra metadata.
  ///
  /// Keys that begin with `tarn.`, and `schema`, are not the caller's.
  public var metadata: [String: String]

  /// Makes options.
  public init(transaction: WriteTransaction? = nil, metadata: [String: String] = [:]) {
    self.transaction = transaction
    self.metadata = metadata
  }

  /// Whether a write makes a commit though it changes no row.
  var isCommit: Bool { transaction != nil || !metadata.isEmpty }

  /// Checks the keys.
  func check() throws(TableError) {
    if let key = metadata.keys.first(where: { $0.hasPrefix("tarn.") || $0 == "schema" }) {
      throw TableError(.mismatch, "the key \(key) of a commit's metadata is Tarn's own: choose another")
    }
    if let transaction, transaction.application.isEmpty || transaction.version < 0 {
      throw TableError(
        .mismatch, "a transaction has the name of an application, and a version that is not negative")
    }
  }
}
