import TarnColumns

/// What becomes of the rows of one slot; see ``SpliceLayout``.
package struct SlotEdit: Sendable {
  /// The slot's position in its row group.
  package var slot: Int
  /// Rows that go, counted from the slot's begin, ascending.
  package var deleted: [Int32]
  /// Rows that are replaced, likewise, ascending; disjoint from those that go.
  package var replaced: [Int32]
  /// For each replaced row the one of the fresh rows that comes in its place.
  package var replacements: [Int32]
  /// Fresh rows that are put behind the slot's.
  package var appended: [Int32]

  /// Makes an edit of its parts.
  package init(
    slot: Int, deleted: [Int32] = [], replaced: [Int32] = [], replacements: [Int32] = [],
    appended: [Int32] = []
  ) {
    self.slot = slot
    self.deleted = deleted
    self.replaced = replaced
    self.replacements = replacements
    self.appended = appended
  }

  /// Whether the slot has as many rows afterwards, in the same places.
  var keepsPlaces: Bool { deleted.isEmpty && appended.isEmpty }

  /// How many rows the slot has afterwards.
  func rowCount(before: Int) -> Int { before - deleted.count + appended.count }

  /// A column of the slot after the edit.
  func applied(to stored: Column, fresh: Column) throws(FormatError) -> Column {
    var builder = ColumnBuilder(stored.type)
    builder.reserve(stored.count + appended.count, bytes: byteCount(stored, fresh))
    do throws(ColumnError) {
      var position = 0
      var gone = 0
      var next = 0
      while gone < deleted.count || next < replaced.count {
        let deletion = gone < deleted.count ? Int(deleted[gone]) : Int.max
        let replacement = next < replaced.count ? Int(replaced[next]) : Int.max
        let row = min(deletion, replacement)
        if row > position { try builder.append(stored, position..<row) }
        if replacement < deletion {
          let source = Int(replacements[next])
          try builder.append(fresh, source..<source + 1)
          next += 1
        } else {
          gone += 1
        }
        position = row + 1
      }
      if position < stored.count { try builder.append(stored, position..<stored.count) }
      if !appended.isEmpty { try builder.append(fresh, rows: appended) }
    } catch {
      throw .outOfRange(error.description)
    }
    return builder.finish()
  }

  /// About how many bytes the strings take after the edit; nothing where some stay positions in a dictionary.
  private func byteCount(_ stored: Column, _ fresh: Column) -> Int {
    guard case .bytes(let old) = stored.values, case .bytes(let new) = fresh.values else { return 0 }
    let added =
      replacements.reduce(0) { $0 + new.length(Int($1)) } + appended.reduce(0) { $0 + new.length(Int($1)) }
    return old.bytes.count + added
  }

  /// The parts of the edit that fall into pages with so many rows each; what is appended comes into the last one.
  func parts(_ pageRows: [Int]) -> [SlotEdit] {
    var parts: [SlotEdit] = []
    var gone = 0
    var next = 0
    var start = 0
    for rows in pageRows {
      var part = SlotEdit(slot: slot)
      let end = start + rows
      while gone < deleted.count, Int(deleted[gone]) < end {
        part.deleted.append(deleted[gone] - Int32(truncatingIfNeeded: start))
        gone += 1
      }
      while next < replaced.count, Int(replaced[next]) < end {
        part.replaced.append(replaced[next] - Int32(truncatingIfNeeded: start))
        part.replacements.append(replacements[next])
        next += 1
      }
      parts.append(part)
      start = end
    }
    if let last = parts.indices.last { parts[last].appended = appended }
    return parts
  }

  /// Whether it changes nothing.
  var isEmpty: Bool { deleted.isEmpty && replaced.isEmpty && appended.isEmpty }

  /// Whether the replaced rows have in a column the values that come in their places.
  func isSame(_ stored: Column, _ fresh: Column) -> Bool {
    stored.areEqual(replaced, to: fresh, replacements)
  }
}

/// How a column's fresh values stand to the stored ones, where that is known without a look at them.
package enum SpliceColumn: Sendable, Hashable {
  /// They may differ.
  case compared
  /// A replaced row has the stored row's value.
  case kept
  /// All rows of the file have one value, which becomes this one.
  case constant(String)
}

/// What a splice did.
package struct SpliceCounts: Sendable, Hashable {
  /// Pages copied as they were, and pages encoded.
  package var pagesCopied = 0
  package var pagesEncoded = 0
  /// Bytes of pages copied, encoded, and read to be decoded.
  package var bytesCopied = 0
  package var bytesEncoded = 0
  package var bytesRead = 0

  /// No counts.
  package init() {}

  /// Adds another's counts.
  package static func += (left: inout SpliceCounts, right: SpliceCounts) {
    left.pagesCopied += right.pagesCopied
    left.pagesEncoded += right.pagesEncoded
    left.bytesCopied += right.bytesCopied
    left.bytesEncoded += right.bytesEncoded
    left.bytesRead += right.bytesRead
  }
}
