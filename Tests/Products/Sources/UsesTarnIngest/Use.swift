import TarnIngest

func answer(_ handler: StreamHandler, _ event: [UInt8]) async throws -> [UInt8] {
  try await handler.handle(event).bytes
}
