import Dispatch
import Foundation
import Synchronization

// libFuzzer has the program's `main`, and calls these by their names. What to do comes by the environment:
// TARN_FUZZ names a part of Parquet files or a kind of text; TARN_FUZZ_SEEDS names a folder that gets inputs to begin with.

/// Called once before all inputs.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?
) -> CInt {
  do {
    if let folder = ProcessInfo.processInfo.environment["TARN_FUZZ_SEEDS"] {
      try target.get().writeSeeds(to: folder)
    }
    _ = try target.get()
  } catch {
    stop(error)
  }
  return 0
}

/// Called with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: data, count: size))
  do {
    let target = try target.get()
    _ = try waiting { await target.run(input) }.get()
  } catch {
    stop(error)
  }
  return 0
}

/// What takes inputs.
protocol FuzzedInputs: Sendable {
  /// Writes inputs to begin with.
  func writeSeeds(to folder: String) throws

  /// Takes an input in every way; errors are expected, anything worse is the finding.
  func run(_ input: [UInt8]) async
}

/// What is fuzzed, made at the first use.
private let target = Result<any FuzzedInputs, any Error> {
  let name = ProcessInfo.processInfo.environment["TARN_FUZZ"] ?? ""
  if let kind = TextTarget.Kind(rawValue: name) { return TextTarget(kind: kind) }
  guard let kind = FuzzTarget.Kind(rawValue: name) else {
    throw UsageError(
      description: "TARN_FUZZ is footer, chunk, json, records or aggregate, and not \"\(name)\"")
  }
  return try waiting { try await FuzzTarget(kind) }.get()
}

private func stop(_ error: any Error) -> Never {
  FileHandle.standardError.write(Data("Fuzz: \(error)\n".utf8))
  exit(64)
}

/// Runs asynchronous work to its end: the driver's thread may wait.
private func waiting<T: Sendable>(
  _ work: @escaping @Sendable () async throws -> T
) -> Result<T, any Error> {
  let outcome = Outcome<T>()
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    let found: Result<T, any Error>
    do { found = .success(try await work()) } catch { found = .failure(error) }
    outcome.result.withLock { $0 = found }
    done.signal()
  }
  done.wait()
  return outcome.result.withLock { $0 ?? .failure(CancellationError()) }
}

private final class Outcome<T: Sendable>: Sendable {
  let result = Mutex<Result<T, any Error>?>(nil)
}

/// What is wrong with the environment.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}
