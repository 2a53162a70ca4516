import Synchronization
import TarnTestSupport

/// Seeded faults of a network and of a server, as a ``FaultProxy`` takes them.
public final class RandomFaults: Sendable {
  private let generator: Mutex<SeededGenerator>
  private let rarity: UInt64
  private let done = Mutex<[String: Int]>([:])

  /// - Parameter rarity: Of so many requests about one is spoilt.
  public init(seed: UInt64, rarity: UInt64) {
    generator = Mutex(SeededGenerator(seed: seed))
    self.rarity = rarity
  }

  /// How often each kind of fault came.
  public var counts: [String: Int] { done.withLock { $0 } }

  /// What becomes of the next request.
  public func next(_ request: WireRequest) -> FaultProxy.Fault {
    let (name, fault) = generator.withLock { generator -> (String, FaultProxy.Fault) in
      guard generator.next() % rarity == 0 else { return ("", .none) }
      return Self.fault(generator.next(), request)
    }
    if !name.isEmpty { done.withLock { $0[name, default: 0] += 1 } }
    return fault
  }

  private static func fault(_ random: UInt64, _ request: WireRequest) -> (String, FaultProxy.Fault) {
    func error(_ code: String) -> String { "<?xml version=\"1.0\"?><Error><Code>\(code)</Code></Error>" }
    // Calls whose success may be an error.
    let isLong =
      request.headers.contains { $0.name == "x-amz-copy-source" } || request.method == "POST"
    switch random % 14 {
    case 0: return ("drop before", .dropBefore)
    case 1: return ("drop after", .dropAfter)
    case 2: return ("delay", .delay(.milliseconds(30)))
    case 3: return ("500", .answer(status: 500, body: error("InternalError")))
    case 4: return ("500 after", .answerAfter(status: 500, body: error("InternalError")))
    case 5: return ("503", .answer(status: 503, body: error("SlowDown")))
    case 6:
      return ("503 with wait", .answer(status: 503, headers: ["Retry-After": "1"], body: error("SlowDown")))
    case 7: return ("503 after", .answerAfter(status: 503))
    case 8: return ("429", .answer(status: 429))
    case 9: return ("truncated", .truncate(after: 11))
    case 10: return ("stalled", .stall(after: 3, .milliseconds(50)))
    case 11 where isLong: return ("error in success", .answer(status: 200, body: error("InternalError")))
    case 12 where isLong:
      return ("error in success after", .answerAfter(status: 200, body: error("InternalError")))
    case 11 where request.method == "GET", 12 where request.method == "GET":
      return ("garbage", .answer(status: 200, body: "<html>garbage"))
    case 13 where request.method != "GET":
      return ("page after", .answerAfter(status: 502, headers: ["content-type": "text/html"], body: "<html>"))
    default: return ("drop after", .dropAfter)
    }
  }
}
