import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// A base file whose new version can be spliced: its slots, and its key index.
///
/// The rule by which a file is spliced or written anew in a stream stands in ``init(_:_:_:_:)``. It was
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
    _ file: ParquetFile, _ update: FileGroupUpdate, _ rows: RecordBatch, _ files: CommitFiles
  ) async throws {
    let format = files.format
    guard !Self.isTooMuch(update.updatedCount + update.deletedCount, of: file.rowCount),
      !update.isIndexDamaged, MemoryBudget.canSplice(update, rows, files.memory),
      let layout = try await file.spliceLayout(for: format.fileSchema, options: format.parquetOptions),
      Self.isTidy(file, layout, format)
    else { return nil }
    if format.hasKeyIndex {
      guard let index = try await Self.index(of: file, layout, files.reader) else { return nil }
      self.index = index
    } else {
      index = nil
    }
    if format.fillsMetaColumns {
      guard let text = file.keyValue(BloomFilter.footerKey),
        let filter = BloomFilterText(text, kindName: file.keyValue(BloomFilter.kindFooterKey)),
        filter.capacity >= file.rowCount / 2 + update.inserts.count / 2
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
  private static func isTidy(_ file: ParquetFile, _ layout: SpliceLayout, _ format: BaseFileFormat) -> Bool {
    let slots = layout.slotRows
    guard slots.allSatisfy({ $0 <= format.pageRows * 2 }) else { return false }
    let few = layout.groups.count + 4
    let filled = Double(file.rowCount) >= Double(slots.count * format.pageRows) * leastFilling
    guard slots.count <= few || filled else { return false }
    let groups = layout.groups.count
    let full = format.sizes.areCopied ? BaseFileSizes.leastCopied : format.sizes.rowGroup
    let isSmall =
      file.encodedBytes / max(groups, 1) < full / 8
      && file.rowCount / max(groups, 1) < BaseFileFormat.rowGroupRows / 8
    return groups <= fewGroups || !isSmall
  }

  /// The key index of a file, whose slots must be the file's; nil where there is none that can be trusted.
  private static func index(
    of file: ParquetFile, _ layout: SpliceLayout, _ reader: BaseFileReader
  ) async throws -> KeyIndexDirectory? {
    do throws(KeyIndexError) {
      guard let index = try await reader.footers.keyIndex(of: file, in: reader.storage) else { return nil }
      guard index.slotRows.filter({ $0 > 0 }).map({ Int($0) }) == layout.slotRows else { return nil }
      return index
    } catch {
      guard case .damaged = error else { throw error }
      reader.warn("\(error): the file is written anew, with a new index")
      return nil
    }
  }
}
