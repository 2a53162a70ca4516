import CFuzzer
import Dispatch
import Foundation
import TarnColumns
import TarnParquet
import TarnStorage

/// Feeds mutated footers or column chunks to the Parquet reader.
///
/// usage: `Fuzz footer|chunk --seeds FOLDER`, or `Fuzz footer|chunk` and libFuzzer's arguments.
@main
enum Fuzz {
  /// The files that a target's inputs become part of; set once, before anything runs.
  nonisolated(unsafe) private static var target = FuzzTarget(templates: [])

  static func main() async throws {
    var words = CommandLine.arguments
    guard words.count > 1, let kind = FuzzTarget.Kind(rawValue: words[1]) else {
      throw UsageError(description: "usage: Fuzz footer|chunk [--seeds FOLDER | libFuzzer's arguments]")
    }
    target = try await FuzzTarget(kind)
    if words.count == 4, words[2] == "--seeds" { return try target.writeSeeds(to: words[3]) }
    words.remove(at: 1)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var count = Int32(words.count)
    let status = arguments.withUnsafeMutableBufferPointer { buffer in
      var base = buffer.baseAddress
      return LLVMFuzzerRunDriver(&count, &base) { data, size in
        Fuzz.run(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
      }
    }
    exit(status)
  }

  /// Runs one input to its end: the driver is no asynchronous code, and its thread may wait.
  private static func run(_ input: [UInt8]) {
    let target = target
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      await target.run(input)
      done.signal()
    }
    done.wait()
  }
}

/// What is wrong with the arguments.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}
