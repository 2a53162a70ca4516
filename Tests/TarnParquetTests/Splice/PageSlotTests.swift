// What stands in a page index is not for users, so that its tests need a build for testing.
#if DEBUG
  @testable import TarnParquet
  import Testing

  /// The rows between which pages of all columns begin.
  @Suite struct PageSlotTests {
    @Test func pageIndexesWhoseRowsDoNotRiseMakeNoSlots() {
      func index(_ rows: [Int]) -> OffsetIndex {
        OffsetIndex(pages: rows.map { PageLocation(offset: 4, compressedSize: 1, firstRow: $0) })
      }
      let good = index([0, 10, 20])
      #expect(OffsetIndex.commonSlots([good, index([0, 5, 20])], rows: 30) == [0..<20, 20..<30])
      for rows in [[], [1], [0, 0], [0, 20, 10], [0, 30], [0, -1], [0, Int.max], [Int.min, 0]] {
        #expect(OffsetIndex.commonSlots([good, index(rows)], rows: 30) == nil, "\(rows)")
        #expect(OffsetIndex.commonSlots([index(rows)], rows: 30) == nil, "\(rows)")
      }
    }
  }
#endif
