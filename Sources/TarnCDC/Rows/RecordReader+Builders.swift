extension RecordReader {
  /// Reads change records into a builder of batches until it is full or all files have been read.
  ///
  /// - Parameters:
  ///   - builder: Takes the records.
  ///   - limit: How many rows are a full batch.
  ///   - rejected: What is done with records that cannot be taken; by default the first one is thrown.
  /// - Returns: Whether there may be more to read.
  /// - Throws: ``ChangeError`` where a file cannot be read, a compressed file is malformed or cut off, the task is
  ///   cancelled, or `rejected` throws; and again when it is called again, since records would be missing.
  public mutating func read(
    into builder: inout ChangeBatchBuilder, limit: Int,
    rejected: RejectionHandler = { record throws(ChangeError) in throw .rejected(record) }
  ) async throws(ChangeError) -> Bool {
    try await read(to: &builder, limit: limit, rejected: rejected)
  }

  /// Reads JSON objects into a builder of batches, as ``read(into:limit:rejected:)-(ChangeBatchBuilder,_,_)`` does.
  public mutating func read(
    into builder: inout RowBatchBuilder, limit: Int,
    rejected: RejectionHandler = { record throws(ChangeError) in throw .rejected(record) }
  ) async throws(ChangeError) -> Bool {
    try await read(to: &builder, limit: limit, rejected: rejected)
  }

  /// Reads records whose columns are to be found, `limit` of them at most, as
  /// ``read(into:limit:rejected:)-(ChangeBatchBuilder,_,_)`` does.
  public mutating func read(
    into inference: inout SchemaInference, limit: Int,
    rejected: RejectionHandler = { record throws(ChangeError) in throw .rejected(record) }
  ) async throws(ChangeError) -> Bool {
    try await read(to: &inference, limit: limit, rejected: rejected)
  }
}
