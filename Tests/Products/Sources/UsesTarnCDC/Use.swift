import TarnCDC

func use(_ reader: inout RecordReader) async throws(ChangeError) -> Int {
  var inference = SchemaInference(.changeRecords)
  while try await reader.read(into: &inference, limit: 1_000) {}
  return inference.count
}

func reason(_ error: RejectionReason) -> String {
  if let broken = error.json { return "at \(broken.offset): \(broken)" }
  return error.description
}
