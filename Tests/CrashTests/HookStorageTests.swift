import TarnStorage
import TarnStorageContract
import TarnTestSupport
import Testing

@Suite struct HookStorageTests {
  @Test func aHookedStorageKeepsTheContract() async {
    let contract = StorageContract {
      HookStorage(inner: InMemoryStorage(pageSize: 3)) { _ in await Task.yield() }
    }
    let violations = await contract.violations()
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test func aRemoteStorageKeepsTheContract() async {
    let clock = StillClock()
    let contract = StorageContract {
      RemoteStorage(InMemoryStorage(pageSize: 3, clock: { clock.now() })) { _ in await Task.yield() }
    }
    let violations = await contract.violations()
    #expect(violations.isEmpty, "\(violations)")
  }
}
