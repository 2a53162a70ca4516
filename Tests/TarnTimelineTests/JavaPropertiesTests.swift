import TarnTimeline
import Testing

@Suite struct JavaPropertiesTests {
  static func parsed(_ text: String) throws(JavaPropertiesError) -> [String] {
    try JavaProperties(parsing: Array(text.utf8)).entries.pairs.map { "\($0.key)|\($0.value)" }
  }

  @Test func filesAreReadAsJavaReadsThem() throws {
    let text = """
      # a comment
        ! another
      a=1
      b : 2
      c 3
        d\t=\t4 \r
      e
      f=
      g=one, \\
          two, \\
        # three
      h\\=\\:\\ i=\\t\\n\\r\\f\\\\\\x
      j=\\u00e9\\uD83D\\uDE00
      k:=5
      a=6
      l=trailing\\
      """
    #expect(
      try Self.parsed(text) == [
        "a|6", "b|2", "c|3", "d|4 ", "e|", "f|", "g|one, two, # three", "h=: i|\t\n\r\u{c}\\x", "j|é😀",
        "k|=5",
        "l|trailing",
      ])
    #expect(try JavaProperties(parsing: [0x61, 0x3d, 0xe9])["a"] == "é")
    #expect(try Self.parsed("") == [])
  }

  @Test(arguments: ["a=\\u12", "a=\\u12g4", "a=\\u+123", "a=\\u"])
  func brokenEscapesAreRefusedWithTheirLine(_ text: String) {
    let error = #expect(throws: JavaPropertiesError.self) { try Self.parsed("x=1\n" + text) }
    #expect(error?.line == 2)
  }

  @Test func filesAreWrittenAsJavaWritesThem() throws {
    let entries: OrderedMap<String> = [
      "a b": " c d", "x=y": "p=q:r#s!t\\u", "é": "😀\t\n\r\u{c}\u{1}~\u{7f}",
    ]
    let bytes = JavaProperties(entries).bytes(comments: ["first"])
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        #first
        a\\ b=\\ c d
        x\\=y=p\\=q\\:r\\#s\\!t\\\\u
        \\u00E9=\\uD83D\\uDE00\\t\\n\\r\\f\\u0001~\\u007F

        """)
    #expect(try JavaProperties(parsing: bytes).entries == entries)
  }

  @Test func continuedLinesAreJoinedOnceHoweverManyBackslashesThereAre() throws {
    // Each line ends in an odd number of them, all but the first in one.
    let half = String(repeating: "\\", count: 100_000)
    let text = "k=\(half)\\\n" + String(repeating: "\\\n", count: 20_000) + "end\nm=\\\\\\\n\\\nx\\\\\n"
    let properties = try JavaProperties(parsing: Array(text.utf8))
    #expect(properties["k"] == String(repeating: "\\", count: 50_000) + "end")
    #expect(properties["m"] == "\\x\\")
    #expect(properties.entries.count == 2)
  }

  @Test func textsBeginPlainAndGoOnWithEscapes() throws {
    let text = "plain=value\nkey\\ with=a\\u00e9b\nlatin\u{e9}=\u{e9}x\nempty\nblank   : v \n"
    let properties = try JavaProperties(parsing: text.unicodeScalars.map { UInt8($0.value) })
    #expect(
      properties.entries.pairs.map { "\($0.key)|\($0.value)" } == [
        "plain|value", "key with|a\u{e9}b", "latin\u{e9}|\u{e9}x", "empty|", "blank|v ",
      ])
  }

  @Test func entriesBeyondAnyTablesAreRefusedAtOnce() throws {
    let line = Array("k=v\n".utf8)
    var text: [UInt8] = []
    for number in 0..<JavaProperties.mostEntries { text += Array("\(number)=v\n".utf8) }
    #expect(try JavaProperties(parsing: text).entries.count == JavaProperties.mostEntries)
    for _ in 0..<200_000 { text += line }
    let error = #expect(throws: JavaPropertiesError.self) { try JavaProperties(parsing: text) }
    #expect(error?.line == JavaProperties.mostEntries + 1)
    #expect(error?.message == "there are more than 50000 entries; restore the file from a copy")
  }
}
