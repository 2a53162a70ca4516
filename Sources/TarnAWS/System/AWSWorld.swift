/// What a client asks of the world around it, as values, so that a test can give its own.
public struct AWSWorld: Sendable {
  /// The time, in microseconds since 1970-01-01T00:00:00Z.
  public var now: @Sendable () -> Int64
  /// Time since some moment, by a clock that nobody sets.
  public var elapsed: @Sendable () -> Duration
  /// Waits, and throws `CancellationError` as soon as the task is cancelled.
  public var sleep: @Sendable (Duration) async throws -> Void
  /// A random number, for waits that differ from process to process.
  public var random: @Sendable () -> UInt64
  /// A variable of the environment; nil where it is not set.
  public var environment: @Sendable (String) -> String?
  /// Reads a file.
  public var readFile: @Sendable (_ path: String) -> FileContent
  /// Runs a command line of the shell, and gives what it writes to its output.
  public var run: @Sendable (_ command: String) async -> ProcessOutcome

  /// What a file holds.
  public enum FileContent: Sendable, Hashable {
    /// These bytes.
    case bytes([UInt8])
    /// There is no such file.
    case absent
    /// It cannot be read: why, for people.
    case unreadable(String)
  }

  /// How a process ended.
  public enum ProcessOutcome: Sendable, Hashable {
    /// With success, after writing this.
    case output([UInt8])
    /// Otherwise: how, for people.
    case failure(String)
  }

  /// Makes a world, without files and processes unless they are given.
  public init(
    now: @escaping @Sendable () -> Int64, elapsed: @escaping @Sendable () -> Duration,
    sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> UInt64,
    environment: @escaping @Sendable (String) -> String?,
    readFile: @escaping @Sendable (_ path: String) -> FileContent = { _ in .absent },
    run: @escaping @Sendable (_ command: String) async -> ProcessOutcome = { _ in .failure("no processes") }
  ) {
    self.now = now
    self.elapsed = elapsed
    self.sleep = sleep
    self.random = random
    self.environment = environment
    self.readFile = readFile
    self.run = run
  }

  /// The system's own clocks, randomness, environment, files and processes.
  public static let system = AWSWorld(
    now: { SystemCalls.microseconds() }, elapsed: { .nanoseconds(SystemCalls.monotonicNanoseconds()) },
    sleep: { try await Task.sleep(for: $0) }, random: { SystemCalls.random() },
    environment: { SystemCalls.environment($0) }, readFile: { SystemFile.read($0) },
    run: { await ChildProcess.run($0) })

  /// A variable of the environment that is set to something.
  package func variable(_ name: String) -> String? {
    guard let value = environment(name), !value.isEmpty else { return nil }
    return value
  }
}
