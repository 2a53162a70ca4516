import TarnAWS
import TarnTestSupport
import Testing

/// The reader of XML.
@Suite("XML of services") struct XMLTests {
  private func tokens(_ text: String) throws(XMLError) -> [XMLToken] {
    var reader = XMLReader(Array(text.utf8))
    var tokens: [XMLToken] = []
    while let token = try reader.next() { tokens.append(token) }
    return tokens
  }

  private static let listing = """
    \u{feff}<?xml version="1.0" encoding="UTF-8"?>
    <!-- made by a server -->
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>
      <Contents><Key>a&amp;b &lt;&#x1F600;&#10;&gt;</Key><ETag>&quot;e&quot;</ETag><Size>12</Size></Contents>
      <Contents ><Key><![CDATA[raw & <kept>]]></Key></Contents ><x:Owner a='>' b="/>"><ID>1</ID></x:Owner>
    </ListBucketResult>
    """

  @Test("Elements, texts and entities come as they stand")
  func elements() throws {
    let tree = try XMLElement(parsing: Array(Self.listing.utf8))
    #expect(tree.name == "ListBucketResult" && tree["Name"]?.text == "b" && tree["Prefix"]?.text == "")
    #expect(tree.children.filter { $0.name == "Contents" }.count == 2)
    #expect(tree["Contents"]?["Key"]?.text == "a&b <😀\n>" && tree["Contents"]?["ETag"]?.text == "\"e\"")
    #expect(tree.children[3]["Key"]?.text == "raw & <kept>")
    #expect(
      tree["Owner"]?["ID"]?.text == "1" && tree.first("Size")?.text == "12" && tree.first("None") == nil)
    #expect(
      try tokens("<a> x<b/>y\r\nz</a>\n")
        == [.start("a"), .text(" x"), .start("b"), .end("b"), .text("y\nz"), .end("a")])
  }

  @Test(
    "What is not well-formed is an error",
    arguments: [
      "", "  ", "text", "<a>", "<a></b>", "</a>", "<a></a><b/>", "<a/>x", "<a", "<a /", "<a b=\"", "<a><",
      "<>", "< a/>",
      "<a>&unknown;</a>", "<a>&amp</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#-1;</a>",
      "<a>&#+1;</a>",
      "<a>&;</a>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a><!-- </a>", "<a><![CDATA[ </a>", "<?xml",
      "<![CDATA[x]]>", "<a><![CDATA[>]]</a>", "<1/>", "<a b<c/></a>", "<a>\u{0}&#99999999999;</a>",
      "<html><p></html>",
    ])
  func notWellFormed(text: String) {
    #expect(throws: XMLError.self) { try tokens(text) }
  }

  @Test("Bytes that are no UTF-8 are an error, and nesting and names have limits")
  func limits() throws {
    #expect(throws: XMLError.self) {
      try XMLElement(parsing: [0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])
    }
    func nested(_ depth: Int) -> String {
      String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
    }
    #expect(try tokens(nested(XMLReader.depthLimit)).count == 2 * XMLReader.depthLimit)
    #expect(throws: XMLError.self) { try tokens(nested(XMLReader.depthLimit + 1)) }
    let name = String(repeating: "n", count: XMLReader.nameLimit)
    #expect(try tokens("<\(name)/>").count == 2)
    #expect(throws: XMLError.self) { try tokens("<\(name)n/>") }
  }

  @Test("Mutated bytes end, in tokens that match or in an error")
  func mutations() {
    var generator = SeededGenerator(seed: 15)
    let original = Array(Self.listing.utf8)
    let spice = Array("<>/&;!?[]-\"'=#x".utf8)
    var errors = 0
    for _ in 0..<4_000 {
      var bytes = original
      for _ in 0...generator.below(6) {
        let place = generator.below(bytes.count)
        switch generator.below(4) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 1: bytes.insert(spice[generator.below(spice.count)], at: place)
        case 2: bytes.remove(at: place)
        default: bytes.removeSubrange(place..<min(bytes.count, place + generator.below(40)))
        }
        if bytes.isEmpty { bytes = [0x3c] }
      }
      var reader = XMLReader(bytes)
      var open: [String] = []
      do {
        while let token = try reader.next() {
          switch token {
          case .start(let name): open.append(name)
          case .end(let name): #expect(open.popLast() == name)
          case .text: #expect(!open.isEmpty)
          }
        }
        #expect(open.isEmpty)
      } catch {
        errors += 1
        #expect((0...bytes.count).contains(error.offset))
      }
    }
    #expect(errors > 1_000)
  }
}
