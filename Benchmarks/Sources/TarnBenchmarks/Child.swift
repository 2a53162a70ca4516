#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a process took.
struct Usage: Sendable {
  /// From start to end, in seconds.
  var wall: Double
  /// On all cores, in user and system mode, in seconds.
  var processor: Double
  /// The most memory that was resident at once, in bytes.
  var peakMemory: Int
}

/// Another process.
enum Child {
  /// Runs a program to its end, with its standard output on our standard error.
  ///
  /// The system counts the peak memory of whoever starts a process as the process's own until it runs its
  /// program, so this program stays small: data is made in a process of its own.
  ///
  /// - Throws: ``SystemError`` where it cannot be started, or ``ChildFailure`` where it fails.
  static func run(_ program: String, _ arguments: [String]) throws -> Usage {
    var actions = FileActions()
    actions.redirect(STDOUT_FILENO, to: STDERR_FILENO)
    let begin = ContinuousClock.now
    let process = try actions.spawn([program] + arguments)
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 {
      guard errno == EINTR else { throw SystemError("cannot wait for \(program)") }
    }
    let wall = (ContinuousClock.now - begin) / .seconds(1)
    guard status == 0 else { throw ChildFailure(command: ([program] + arguments).joined(separator: " ")) }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    #if canImport(Darwin)
      let unit = 1
    #else
      let unit = 1_024
    #endif
    return Usage(
      wall: wall, processor: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      peakMemory: Int(usage.ru_maxrss) * unit)
  }
}

/// A process that did not succeed.
struct ChildFailure: Error, CustomStringConvertible {
  var command: String
  var description: String { "this failed: \(command)" }
}

/// What is done with the files of a process before it starts.
private struct FileActions: ~Copyable {
  #if canImport(Darwin)
    private var actions: posix_spawn_file_actions_t?
  #else
    private var actions = posix_spawn_file_actions_t()
  #endif

  init() { posix_spawn_file_actions_init(&actions) }

  deinit {
    var actions = actions
    posix_spawn_file_actions_destroy(&actions)
  }

  mutating func redirect(_ descriptor: Int32, to target: Int32) {
    posix_spawn_file_actions_adddup2(&actions, target, descriptor)
  }

  /// Starts a program, which is looked for along the path.
  mutating func spawn(_ words: [String]) throws(SystemError) -> pid_t {
    var process: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    let code = posix_spawnp(&process, words[0], &actions, nil, arguments, environ)
    guard code == 0 else { throw SystemError("cannot start \(words[0])", code: code) }
    return process
  }
}
