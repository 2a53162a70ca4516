/// Runs `body` on each element, at most `width` at once, and gives the results in the elements' order.
///
/// - Parameters:
///   - budget: What the elements that run at once may cost together; one of them runs whatever it costs.
///   - cost: What an element costs.
package func concurrently<Element: Sendable, Result: Sendable>(
  _ elements: [Element], width: Int, budget: Int = Int.max, cost: (Element) -> Int = { _ in 0 },
  _ body: @Sendable @escaping (Element) async throws -> Result
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    var results = [Result?](repeating: nil, count: elements.count)
    var costs: [Int: Int] = [:]
    var spent = 0
    for index in elements.indices {
      let next = cost(elements[index])
      while !costs.isEmpty, costs.count >= width || next > budget - spent {
        guard let (done, result) = try await group.next() else { break }
        results[done] = result
        spent -= costs.removeValue(forKey: done) ?? 0
        try Task.checkCancellation()
      }
      costs[index] = next
      spent += next
      group.addTask { (index, try await body(elements[index])) }
    }
    while let (done, result) = try await group.next() {
      results[done] = result
      try Task.checkCancellation()
    }
    return results.compactMap { $0 }
  }
}
