import TarnCDC

/// The change records of the sources that a command names, which are read once and not kept.
struct ChangesInput {
  private let input: RecordInput
  /// Those that could not be taken and are not stored yet.
  private var deadLetters = DeadLetters()
  /// Number and bytes of those that are stored.
  private var stored = (count: 0, bytes: 0)

  init(_ arguments: Arguments) async throws {
    var sources: [InputSource] = []
    for path in arguments.operands { sources.append(try await InputSource.changes(path)) }
    input = RecordInput(sources: sources, policy: arguments[Options.onError] ?? .fail)
    try await input.sayLeft()
  }

  /// Reads everything, and stores what cannot be taken as it goes.
  ///
  /// - Parameter full: Called whenever the consumer has enough to be taken out of it, and at the end of each source.
  mutating func read<Consumer: RecordConsumer>(
    into consumer: inout Consumer, full: (inout Consumer) async throws -> Void = { _ in }
  ) async throws {
    for source in input.sources {
      try await source.located {
        var reader = try await ChangeSource.reader(of: source.storage, under: source.name)
        var more = true
        while more {
          more = try await reader.read(to: &consumer, limit: .max) { record throws(ChangeError) in
            var record = record
            record.source = source.prefix + record.source
            guard case .deadLetter = input.policy else { throw .rejected(record) }
            deadLetters.append(record)
          }
          try await full(&consumer)
          try storeDeadLetters()
        }
      }
    }
  }

  private mutating func storeDeadLetters() throws {
    guard deadLetters.count > 0 || deadLetters.bytes > 0 else { return }
    var none = StoredDeadLetters()
    try deadLetters.store(input.policy, besides: &none)
    stored = (stored.count + deadLetters.count, stored.bytes + deadLetters.bytes)
    deadLetters = DeadLetters()
  }

  /// Says what is not among what was read.
  func sayLeftOut(otherTables: Int) {
    if otherTables > 0 {
      StandardError.note("\(otherTables) records of other DynamoDB tables were passed over")
    }
    if stored.count > 0 {
      StandardError.note("\(stored.count) to the dead letters (\(Readable.bytes(stored.bytes)))")
    }
  }
}
