#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import TarnAWS
import TarnTestSupport
import Testing

/// The system's own world.
@Suite("The system's world") struct SystemTests {
  private let world = AWSWorld.system

  @Test("A process gives its output, or says how it ended")
  func processes() async {
    #expect(await world.run("printf 'a b'; printf c >&1") == .output(Array("a bc".utf8)))
    #expect(await world.run("exit 3") == .failure("ended with status 3"))
    #expect(await world.run("kill -9 $$") == .failure("ended by signal 9"))
    #expect(await world.run("cat") == .output([]))
    // No signal is held back from it, also where a program ignores those of broken pipes, as many do.
    signal(SIGPIPE, SIG_IGN)
    #expect(await world.run("kill -PIPE $$; echo lives") == .failure("ended by signal 13"))
    #expect(
      await world.run("head -c 100000 /dev/zero") == .failure("wrote more than 65536 bytes"))
  }

  @Test("A process ends when its task is cancelled")
  func cancelledProcess() async {
    let world = world
    let task = Task { await world.run("sleep 60") }
    try? await Task.sleep(for: .milliseconds(30))
    let start = ContinuousClock().now
    task.cancel()
    #expect(await task.value == .failure("cancelled"))
    #expect(ContinuousClock().now - start < .seconds(20))
  }

  @Test("Files are read whole, and told apart where they cannot be")
  func files() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let long = String(repeating: "x", count: 40_000)
      #expect(await world.run("printf %s \(long) > \(folder)/long") == .output([]))
      #expect(world.readFile(folder + "/long") == .bytes(Array(long.utf8)))
      #expect(world.readFile(folder + "/none") == .absent)
      if case .unreadable = world.readFile(folder) {} else { Issue.record("a folder is no file") }
    }
  }

  @Test("Clocks go on, and variables are found")
  func clocks() {
    let (time, passed) = (world.now(), world.elapsed())
    #expect(time > 1_700_000_000_000_000 && world.now() >= time && world.elapsed() >= passed)
    #expect(world.environment("PATH")?.isEmpty == false && world.environment("TARN_NO_SUCH_VARIABLE") == nil)
    #expect(world.random() != world.random())
  }
}
