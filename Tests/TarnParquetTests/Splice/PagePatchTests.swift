// What stands in a page is not for users, so that its tests need a build for testing.
#if DEBUG
  import TarnBytes
  @testable import TarnParquet
  import Testing

  /// Values replaced in pages as they are encoded, where pages are not what they say.
  @Suite struct PagePatchTests {
    @Test func aPositionBehindTheDictionaryStaysDamageWhenTheDictionaryGrows() throws {
      // Four entries at first; a row refers to the fifth, which the patch adds.
      var page: [UInt8] = []
      page.appendIndices(([0, 1, 4, 3, 2, 1, 0, 3] as [UInt32]).span, entries: 5)
      let patch = PagePatch(rows: [5], bounds: EncodedBounds(minimum: [0], maximum: [9]))
      var out: [UInt8] = []
      #expect(throws: FormatError.self) {
        try patch.indices(
          page.span.bytes, count: 8, by: [4], before: 4, entries: 5, entry: { [UInt8($0)] }, into: &out)
      }
    }

    @Test func bytesBehindTheValuesAreLeftOut() throws {
      let patch = PagePatch(rows: [1], bounds: EncodedBounds(minimum: [0, 0], maximum: [9, 9]))
      var out: [UInt8] = []
      let page: [UInt8] = [1, 1, 2, 2, 3, 3, 0xee]
      let outcome = try patch.fixed(page.span.bytes, 2, count: 3, by: [7, 7], into: &out)
      #expect(outcome == .patched && out == [1, 1, 7, 7, 3, 3])
      out = []
      let strings: [UInt8] = [1, 0, 0, 0, 5, 2, 0, 0, 0, 6, 6, 0xee]
      let strung = try patch.prefixed(strings.span.bytes, count: 2, by: [1, 0, 0, 0, 8], into: &out)
      #expect(strung == .patched && out == [1, 0, 0, 0, 5, 1, 0, 0, 0, 8])
    }

    @Test func aValueThatIsABoundIsNotReplaced() throws {
      let patch = PagePatch(rows: [0], bounds: EncodedBounds(minimum: [1, 1], maximum: [3, 3]))
      var out: [UInt8] = []
      let page: [UInt8] = [1, 1, 2, 2, 3, 3]
      #expect(try patch.fixed(page.span.bytes, 2, count: 3, by: [7, 7], into: &out) == .looseBound)
      #expect(try patch.fixed(page.span.bytes, 2, count: 3, by: [1, 1], into: &out) == .same)
      #expect(out.isEmpty)
    }
  }
#endif
