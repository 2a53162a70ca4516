import TarnColumns

extension ChangeBatch {
  /// The changes but for some, given ascending.
  func without(_ rows: [Int]) throws -> ChangeBatch {
    var bits = Bitmap()
    let kept = self.rows.rows(without: rows)
    for row in kept { bits.append(isDelete[Int(row)]) }
    return try ChangeBatch(rows: try self.rows.gather(kept), isDelete: bits)
  }
}

extension RecordBatch {
  /// The positions of all rows but some, given ascending.
  func rows(without others: [Int]) -> [Int32] {
    var rest = others[...]
    return (0..<Int32(count)).filter { row in
      guard rest.first == Int(row) else { return true }
      rest = rest.dropFirst()
      return false
    }
  }
}
