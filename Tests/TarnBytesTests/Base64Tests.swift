import TarnBytes
import Testing

@Suite struct Base64Tests {
  @Test(
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]) func vectorsOfTheStandard(_ plain: String, _ text: String)
  {
    #expect(Base64.encode(Array(plain.utf8)) == text)
    #expect(Base64.decode(Array(text.utf8).span.bytes) == Array(plain.utf8))
  }

  @Test(arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Z===", "====", "Zg==Zg==", "Zm-v", "=Zg="])
  func whatIsNotBase64IsRefused(_ text: String) {
    #expect(Base64.decode(Array(text.utf8).span.bytes) == nil)
  }

  @Test func allBytesComeBack() {
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for count in [255, 256, 257, 1_000] {
      let part = Array(bytes[..<count])
      #expect(Base64.decode(Array(Base64.encode(part).utf8).span.bytes) == part)
    }
  }
}
