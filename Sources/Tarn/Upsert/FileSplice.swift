import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// A base file whose new version can be spliced: its slots, and its key index.
///
/// The rule by which a file is spliced or written anew in a stream stands in ``init(_:_:_:warn:)``. It was
/// chosen by measuring: since columns that an update leaves alone are copied even where all pages are touched, a
/// splice is the faster way up to far more touched rows than pages have untouched ones.
struct FileSplice: Sendable {
  let file: ParquetFile
  let layout: SpliceLayout
  /// Nil for a table without key indexes.
  let index: KeyIndexDirectory?
  /// Nil for a table without meta columns.
  let filter: BloomFilterText?
  /// The key range of the file.
  let range: (least: String, greatest: String)

  /// The share of a file's rows beyond which writing it anew is not slower, and tidies it up.
  private static let greatestShare = 0.5
  /// The share of a full page that slots have at least, on average.
  private static let leastFilling = 0.25
  /// Row groups beyond which small ones are put together.
  private static let fewGroups = 4

  /// Looks whether a file can be spliced.
  ///
  /// The result is nil where it must be written anew:
  ///
  /// - its columns, codec or physical types are not those that Tarn writes now, or it has no page index;
  /// - its pages do not begin at common rows often enough, as in files of other writers;
  /// - deletions have left pages or row groups that are small on average;
  /// - more than half of its rows change, or more than may be held together;
  /// - it has no key index though the table wants one, or a damaged one;
  /// - it lacks a key range, or, in a table with meta columns, a readable Bloom filter, or its rows are twice those
  ///   the filter was made for.
  init?(
    _ file: ParquetFile, _ merge: WritePlan.Merge, _ context: CommitContext, warn: @Sendable (String) -> Void
  ) async throws {
    guard !Self.isTooMuch(merge.updatedCount + merge.deletedCount, of: file.rowCount),
      !merge.tagged.isIndexDamaged,
      merge.edit.map({ MemoryBudget.fits($0, merge.tagged, context.memory) }) ?? true,
      MemoryBudget.fits(merge, context.batch.changes.rows, context.memory),
      let layout = try await file.spliceLayout(for: context.fileSchema, options: context.parquetOptions),
      Self.isTidy(file, layout, context)
    else { return nil }
    if context.options.hasKeyIndex {
      guard let index = try await Self.index(of: file, merge.tagged, layout, context.storage, warn) else {
        return nil
      }
      self.index = index
    } else {
      index = nil
    }
    if context.populatesMetaColumns {
      guard let text = file.keyValue(BloomFilter.footerKey),
        let filter = BloomFilterText(text, kindName: file.keyValue(BloomFilter.kindFooterKey)),
        filter.capacity >= file.rowCount / 2 + merge.inserts.count / 2
      else { return nil }
      self.filter = filter
    } else {
      filter = nil
    }
    guard let least = file.keyValue(KeyRange.leastKey), let greatest = file.keyValue(KeyRange.greatestKey)
    else { return nil }
    self.file = file
    self.layout = layout
    range = (least, greatest)
  }

  /// Whether so many rows of a file change that it is written anew.
  static func isTooMuch(_ touched: Int, of rows: Int) -> Bool {
    Double(touched) > Double(rows) * greatestShare
  }

  /// Whether slots are neither too long to pay, nor too short to be read well; likewise row groups.
  private static func isTidy(_ file: ParquetFile, _ layout: SpliceLayout, _ context: CommitContext) -> Bool {
    let slots = layout.slotRows
    guard slots.allSatisfy({ $0 <= context.pageRows * 2 }) else { return false }
    let few = layout.groups.count + 4
    let filled = Double(file.rowCount) >= Double(slots.count * context.pageRows) * leastFilling
    guard slots.count <= few || filled else { return false }
    let groups = layout.groups.count
    let isSmall =
      file.encodedBytes / max(groups, 1) < context.options.rowGroupSize / 8
      && file.rowCount / max(groups, 1) < CommitContext.rowGroupRows / 8
    return groups <= fewGroups || !isSmall
  }

  /// The key index of a file, whose slots must be the file's; nil where there is none that can be trusted.
  private static func index(
    of file: ParquetFile, _ tagged: TaggedSlice, _ layout: SpliceLayout, _ storage: any Storage,
    _ warn: @Sendable (String) -> Void
  ) async throws -> KeyIndexDirectory? {
    guard let reference = file.keyIndexReference else { return nil }
    do throws(KeyIndexError) {
      let read = tagged.index
      let index =
        if let read { read } else { try await KeyIndexDirectory.read(reference, in: storage, at: file.path) }
      guard index.slotRows.filter({ $0 > 0 }).map({ Int($0) }) == layout.slotRows else { return nil }
      return index
    } catch {
      guard case .damaged = error else { throw error }
      warn("\(error): the file is written anew, with a new index")
      return nil
    }
  }
}

extension ParquetFile {
  /// Where the key index lies; nil where the file has none that is known.
  var keyIndexReference: KeyIndexReference? {
    keyValue(KeyIndexReference.footerKey).flatMap { KeyIndexReference(footerText: $0) }
  }

  /// Where the key index lies, if it has tombstones.
  var tombstones: KeyIndexReference? {
    keyValue(KeyIndexReference.tombstonesFooterKey) == nil ? nil : keyIndexReference
  }
}

/// The edits of a file, slot by slot.
struct FileEdits: Sendable {
  /// The edits of each row group.
  var groups: [[SlotEdit]]
  /// Rows of the batch for the fresh rows that edits refer to, in their order.
  var rows: [Int32]
  /// Inserts that find no room in the last row group.
  var rest: ArraySlice<Int32>
  /// For each insert that found room its row of the batch, and its slot, counted over the whole file.
  var placed: [(row: Int32, slot: Int)] = []

  /// Distributes what is to be done over slots; inserts fill the last slot, then new ones, up to `room` rows.
  init(_ merge: WritePlan.Merge, _ layout: SpliceLayout, pageRows: Int, room: Int) {
    groups = []
    rows = merge.resolution.updated.map { Int32($0.incoming) } + merge.inserts.prefix(room)
    rest = merge.inserts.dropFirst(room)
    var deleted = merge.resolution.deleted[...]
    var updated = merge.resolution.updated[...]
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
        while let match = updated.first, match.stored < end {
          edit.replaced.append(Int32(match.stored - start - slot.lowerBound))
          edit.replacements.append(fresh)
          fresh += 1
          updated.removeFirst()
        }
        if !edit.deleted.isEmpty || !edit.replaced.isEmpty { edits.append(edit) }
      }
      start += slots.last?.upperBound ?? 0
      groups.append(edits)
    }
    place(merge.inserts.prefix(room), layout, pageRows)
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
