import Synchronization
internal import TarnBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A command of the shell whose output is wanted.
enum ChildProcess {
  /// Bytes of output beyond which it is no answer.
  private static let outputLimit = 1 << 16
  /// How long it may take.
  private static let patience: Int64 = 60_000_000_000
  /// How often it is looked whether the task was cancelled, in milliseconds.
  private static let interval: Int32 = 50

  /// Runs a command, and ends it where the task is cancelled.
  static func run(_ command: String) async -> AWSWorld.ProcessOutcome {
    let cancellation = Cancellation()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let hasStarted = OwnThread.start {
          continuation.resume(returning: run(command) { cancellation.isSet.load(ordering: .acquiring) })
        }
        if !hasStarted { continuation.resume(returning: .failure("no thread is left")) }
      }
    } onCancel: {
      cancellation.isSet.store(true, ordering: .releasing)
    }
  }

  private final class Cancellation: Sendable {
    let isSet = Atomic(false)
  }

  private static func run(_ command: String, isCancelled: () -> Bool) -> AWSWorld.ProcessOutcome {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return .failure(SystemCalls.text(ofError: errno)) }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (process, number) = spawn(command, output: ends[1])
    close(ends[1])
    guard number == 0 else { return .failure(SystemCalls.text(ofError: number)) }
    let (output, complaint) = read(ends[0], isCancelled: isCancelled)
    if complaint != nil { kill(process, SIGKILL) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    if let complaint { return .failure(complaint) }
    // An exit's status stands in the second byte; the first tells of a signal.
    if status & 0x7f != 0 { return .failure("ended by signal \(status & 0x7f)") }
    return status == 0 ? .output(output) : .failure("ended with status \(status >> 8 & 0xff)")
  }

  private static func spawn(_ command: String, output: Int32) -> (process: pid_t, error: Int32) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    // The signals that this thread holds back, or this process ignores, are the command's own affair.
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let error = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, environ)
    return (process, error)
  }

  /// What comes until the end, or why it was not waited for.
  private static func read(_ descriptor: Int32, isCancelled: () -> Bool) -> ([UInt8], String?) {
    let end = SystemCalls.monotonicNanoseconds() + patience
    var output: [UInt8] = []
    while true {
      if isCancelled() { return ([], "cancelled") }
      if SystemCalls.monotonicNanoseconds() > end { return ([], "took longer than a minute") }
      var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&waited, 1, interval) > 0 else { continue }
      guard let more = SystemFile.readSome(descriptor) else {
        return ([], SystemCalls.text(ofError: errno))
      }
      if more.isEmpty { return (output, nil) }
      output.append(contentsOf: more)
      if output.count > outputLimit { return ([], "wrote more than \(outputLimit) bytes") }
    }
  }
}
