import TarnFileGroups
import TarnTimeline

extension Table {
  /// Checks the table as a whole, and tells what is wrong with it, or was left in it.
  ///
  /// The latest version of each file group must be there as the commit that wrote it says: its footer is read, and its
  /// rows and bytes are counted, but its pages only as far as keys are read. No record key may stand twice in a partition,
  /// no data file be of a commit that neither stands nor is under way, no commit lie before those that are archived, and
  /// the table's head must agree with the timeline, with no gap in its sequence. What died writers left does no harm, and
  /// is noted (``CheckFinding/isNote``).
  ///
  /// Nothing is changed, and memory does not follow the table's rows. Other writers may go on: a table that changed
  /// meanwhile is checked again where something seems wrong.
  ///
  /// - Returns: What was found; nothing, or notes only, of a sound table.
  /// - Throws: ``TableError`` where the table cannot be read, `conflict` where it changes faster than it can be checked,
  ///   `unsupported` for a merge-on-read table.
  public func check() async throws(TableError) -> [CheckFinding] {
    let reader = BaseFileReader(storage, readFooters, warn: settings.warn)
    do { return try await TableCheck(storage: storage, settings: settings, reader: reader).run() } catch {
      throw error.of(properties.name)
    }
  }
}
