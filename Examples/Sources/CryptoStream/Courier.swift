import TarnColumns

/// An object in which changes arrive.
public struct DeliveredObject: Sendable, Hashable {
  /// Its path: `YYYY/MM/dd/HH/` and a name, as a delivery stream gives them.
  public var path: String
  /// Which of the batch's deliveries it holds.
  public var deliveries: Range<Int>
}

/// Carries changes as a stream does: some late, some twice, and all in objects.
struct Courier {
  let options: CryptoStream.Options
  var random: SplitMix64

  mutating func deliver(_ changes: [Change]) -> [CryptoStream.Batch] {
    var waiting = [[CryptoStream.Delivery]](repeating: [], count: options.batches)
    // The last batch in which an item's older changes may come; set by changes that take its row away.
    var limits: [String: Int] = [:]
    for change in changes.reversed() {
      let limit = limits[change.id] ?? options.batches - 1
      let first = arrival(of: change, notBehind: limit)
      waiting[batch(of: first)].append(CryptoStream.Delivery(change: change, arrival: first))
      if random.chance(3) {
        let wanted = first + Int64(random.within(1_000_000..<1_800_000_000))
        let again = max(min(wanted, lastMoment(of: limit)), first)
        waiting[batch(of: again)].append(CryptoStream.Delivery(change: change, arrival: again))
      }
      if change.takesRowAway { limits[change.id] = batch(of: first) }
    }
    return waiting.enumerated().map { number, deliveries in batch(number, deliveries) }
  }

  private func lastMoment(of batch: Int) -> Int64 { options.start + Int64(batch + 1) * options.interval - 1 }

  private func batch(of arrival: Int64) -> Int {
    min(Int((arrival - options.start) / options.interval), options.batches - 1)
  }

  private mutating func arrival(of change: Change, notBehind limit: Int) -> Int64 {
    // Soon; or, for one in twenty-five, after ten to forty minutes.
    let delay = random.chance(4) ? random.within(600_000_000..<2_400_000_000) : random.below(3_000_000)
    return min(change.time + Int64(delay), max(change.time, lastMoment(of: limit)))
  }

  private mutating func batch(_ number: Int, _ deliveries: [CryptoStream.Delivery]) -> CryptoStream.Batch {
    let sorted = deliveries.sorted { ($0.arrival, $0.change.time) < ($1.arrival, $1.change.time) }
    var objects: [DeliveredObject] = []
    let size = max((sorted.count + options.objectsPerBatch - 1) / options.objectsPerBatch, 1)
    for start in stride(from: 0, to: sorted.count, by: size) {
      objects.append(
        DeliveredObject(
          path: path(oldest: sorted[start].arrival), deliveries: start..<min(start + size, sorted.count)))
    }
    return CryptoStream.Batch(
      clock: lastMoment(of: number) + 1, deliveries: sorted, objects: objects)
  }

  /// The name that a delivery stream gives to an object whose oldest record arrived at a time.
  private mutating func path(oldest: Int64) -> String {
    var time: [UInt8] = []
    CivilTime.append(microseconds: oldest, isInstant: true, to: &time)
    func part(_ range: Range<Int>) -> String { String(decoding: time[range], as: UTF8.self) }
    let (year, month, day, hour) = (part(0..<4), part(5..<7), part(8..<10), part(11..<13))
    let stamp = [year, month, day, hour, part(14..<16), part(17..<19)].joined(separator: "-")
    return "\(year)/\(month)/\(day)/\(hour)/crypto-transactions-1-\(stamp)-\(random.uuid()).gz"
  }
}
