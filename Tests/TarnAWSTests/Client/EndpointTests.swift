import TarnAWS
import Testing

/// Where services are reached.
@Suite("Endpoints of services") struct EndpointTests {
  @Test(
    "Endpoints",
    arguments: [
      ("http://127.0.0.1:7480", "http://127.0.0.1:7480" as String?),
      ("https://S3.Example.com/", "https://s3.example.com"),
      ("https://s3.example.com:443/base//", "https://s3.example.com/base"), ("http://h:80", "http://h"),
      ("https://[::1]:8443/x", "https://[::1]:8443/x"), ("http://[::1]", "http://[::1]"),
      ("ftp://h", nil), ("s3.example.com", nil), ("http://", nil), ("http://user@h", nil),
      ("http://h:0", nil),
      ("http://h:99999", nil), ("http://h/?q", nil), ("http://a b", nil), ("http://:80", nil),
    ])
  func endpoints(text: String, expected: String?) {
    #expect(AWSEndpoint(text)?.description == expected)
  }
}
