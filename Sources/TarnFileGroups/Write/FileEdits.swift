import TarnParquet

/// The edits of a file, slot by slot.
struct FileEdits: Sendable {
  /// The edits of each row group.
  var groups: [[SlotEdit]]
  /// Rows of the batch for the fresh rows that edits refer to, in their order.
  var rows: [Int32]
  /// Inserts that find no space in the last row group.
  var rest: ArraySlice<Int32>
  /// For each insert that found space its row of the batch, and its slot, counted over the whole file.
  var placed: [(row: Int32, slot: Int)] = []

  /// Distributes what is to be done over slots; inserts fill the last slot, then new ones, up to `space` rows.
  ///
  /// - Parameter space: How many inserts the last row group takes.
  init(
    _ changes: StoredRowChanges, _ inserts: [Int32], _ layout: SpliceLayout, pageRows: Int, space: Int
  ) {
    groups = []
    rows = changes.replaced.map { Int32($0.row) } + inserts.prefix(space)
    rest = inserts.dropFirst(space)
    var deleted = changes.deleted[...]
    var replaced = changes.replaced[...]
    var fresh: Int32 = 0
    var start = 0
    for slots in layout.groups {
      var edits: [SlotEdit] = []
      for (number, slot) in slots.enumerated() {
        var edit = SlotEdit(slot: number)
        let end = start + slot.upperBound
        while let row = deleted.first, row < end {
          edit.deleted.append(Int32(row - start - slot.lowerBound))
          deleted.removeFirst()
        }
        while let next = replaced.first, next.position < end {
          edit.replaced.append(Int32(next.position - start - slot.lowerBound))
          edit.replacements.append(fresh)
          fresh += 1
          replaced.removeFirst()
        }
        if !edit.deleted.isEmpty || !edit.replaced.isEmpty { edits.append(edit) }
      }
      start += slots.last?.upperBound ?? 0
      groups.append(edits)
    }
    place(inserts.prefix(space), layout, pageRows)
  }

  private mutating func place(_ inserts: ArraySlice<Int32>, _ layout: SpliceLayout, _ pageRows: Int) {
    guard !inserts.isEmpty, let last = groups.indices.last else { return }
    var fresh = Int32(rows.count - inserts.count)
    var left = inserts
    var number = layout.groups[last].count
    let before = layout.groups[..<last].reduce(0) { $0 + $1.count }
    var edit = SlotEdit(slot: number - 1)
    if number > 0 {
      if groups[last].last?.slot == number - 1 { edit = groups[last].removeLast() }
      let stored = layout.groups[last][number - 1].count - edit.deleted.count
      append(max(pageRows - stored, 0), to: &edit, before, &left, &fresh)
      if !edit.deleted.isEmpty || !edit.replaced.isEmpty || !edit.appended.isEmpty {
        groups[last].append(edit)
      }
    }
    while !left.isEmpty {
      edit = SlotEdit(slot: number)
      append(pageRows, to: &edit, before, &left, &fresh)
      groups[last].append(edit)
      number += 1
    }
  }

  private mutating func append(
    _ count: Int, to edit: inout SlotEdit, _ before: Int, _ left: inout ArraySlice<Int32>,
    _ fresh: inout Int32
  ) {
    for row in left.prefix(count) {
      edit.appended.append(fresh)
      placed.append((row, before + edit.slot))
      fresh += 1
    }
    left = left.dropFirst(count)
  }
}
