/// Finds what a misspelt word may have meant.
enum Spelling {
  /// `; did you mean X?`, or nothing where no known word is near.
  static func hint(_ word: String, _ known: [String]) -> String {
    guard let best = nearest(word, known) else { return "" }
    return "; did you mean \(best)?"
  }

  private static func nearest(_ word: String, _ known: [String]) -> String? {
    let ranked = known.map { (distance: distance(Array(word.utf8), Array($0.utf8)), word: $0) }
      .sorted { $0.distance < $1.distance }
    if let best = ranked.first, best.distance <= max(2, best.word.utf8.count / 3) { return best.word }
    return word.count > 3 ? known.first { $0.hasPrefix(word) } : nil
  }

  /// How many letters must be put in, left out or exchanged to turn one word into the other.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard left.count < 100 else { return Int.max }
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let replaced = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}
