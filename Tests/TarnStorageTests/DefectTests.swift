import TarnStorage
import TarnStorageContract
import Testing

/// What storages get wrong.
enum Defect: String, CaseIterable, Sendable {
  case listsInReverse, listsFoldersOnly, listsFromTheKeyOn, ignoresTheKeyToBeginAfter, losesWhatFollowsAFolder
  case listsEachFolderAgain, repeatsPages, countsInfoWrong
  case clampsRanges, appendsToTheBuffer, givesTheTagOfBefore, readsWhatIsTooLarge, readsFolders
  case failsPutsWithAnotherCode, ignoresIfAbsent, ignoresIfMatches, checksBeforeItPuts,
    takesMissingForMatching
  case putsNothingWhenCancelled, repeatsTags
  case movesByCopying, movesWhatIsGone, movesBesideWhatIsThere, movesNothingWhenCancelled
  case showsWritersAtOnce, finishesOnAnyCondition, checksWhenItOpens, staysOpenAfterAnError, staysOpenAtTheEnd
  case finishesWhatIsAbandoned, copiesAnyTag, copiesWhatThereIs
  case failsToDeleteTheMissing, deletesWhatIsBelow, deletesThousandsOnly, stopsDeletingAtAnError, namesNoPath
  case takesAnyPath, settlesOnce, readsWhatWasThere, removesObjects, losesItsCosts

  var verbs: Set<ContractViolation.Verb> {
    switch self {
    case .listsInReverse, .listsFoldersOnly, .listsFromTheKeyOn, .ignoresTheKeyToBeginAfter,
      .losesWhatFollowsAFolder, .listsEachFolderAgain, .repeatsPages:
      [.list]
    case .countsInfoWrong: [.info]
    case .clampsRanges, .appendsToTheBuffer: [.read]
    case .givesTheTagOfBefore, .readsWhatIsTooLarge, .readsFolders: [.get]
    case .failsPutsWithAnotherCode, .ignoresIfAbsent, .ignoresIfMatches, .checksBeforeItPuts,
      .takesMissingForMatching, .putsNothingWhenCancelled, .repeatsTags:
      [.put]
    case .movesByCopying, .movesWhatIsGone, .movesBesideWhatIsThere, .movesNothingWhenCancelled: [.move]
    case .showsWritersAtOnce: [.writer, .write]
    case .finishesOnAnyCondition, .checksWhenItOpens, .staysOpenAtTheEnd: [.finish]
    case .staysOpenAfterAnError: [.write]
    case .finishesWhatIsAbandoned: [.abandon, .finish]
    case .copiesAnyTag, .copiesWhatThereIs: [.copy]
    case .failsToDeleteTheMissing, .deletesWhatIsBelow, .deletesThousandsOnly, .stopsDeletingAtAnError,
      .namesNoPath:
      [.delete]
    case .takesAnyPath: [.info, .put]
    case .settlesOnce: [.batch]
    case .readsWhatWasThere: [.keepOpen]
    case .removesObjects: [.removeUnfinished]
    case .losesItsCosts: [.waiting]
    }
  }
}

@Suite("What the contract catches")
struct DefectTests {
  @Test(arguments: Defect.allCases)
  func eachDefectIsCaughtAndItsVerbNamed(_ defect: Defect) async {
    let violations = await StorageContract { DefectiveStorage(defect) }.violations()
    let verbs = Set(violations.map(\.verb))
    #expect(!verbs.isDisjoint(with: defect.verbs), "\(violations)")
  }

  @Test func withoutADefectNothingIsFound() async {
    let violations = await StorageContract { DefectiveStorage(nil) }.violations()
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test func aStorageThatCannotBeMadeIsAViolation() async {
    let contract = StorageContract { throw StorageError(.noSpace, path: "", "no room") }
    let violations = await contract.violations()
    #expect(!violations.isEmpty && violations.allSatisfy { $0.verb == .make && $0.seen.contains("no room") })
  }
}
