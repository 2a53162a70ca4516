import Foundation
import TarnAWS
import TarnTestSupport
import Testing

/// TLS against the server that comes with OpenSSL's command.
@Suite("TLS") struct TLSTests {
  /// A server that answers each request with a page, by a certificate that nobody has signed.
  private final class PageServer {
    let url: String
    private let process = Process()

    init(_ folder: String) throws {
      let files = ["-cert", folder + "/certificate", "-key", folder + "/key"]
      let making = try Self.start(
        Process(),
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
          "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", folder + "/certificate",
          "-keyout", folder + "/key",
        ])
      _ = try making.fileHandleForReading.readToEnd()
      let output = try Self.start(process, ["s_server", "-accept", "127.0.0.1:0", "-www"] + files)
      var text = ""
      while let more = try output.fileHandleForReading.read(upToCount: 1) {
        text += String(decoding: more, as: UTF8.self)
        if text.hasSuffix("\n"), text.contains("ACCEPT ") { break }
      }
      let port = try #require(text.split(whereSeparator: \.isNewline).last?.split(separator: ":").last)
      url = "https://127.0.0.1:\(port)"
    }

    deinit {
      // It need not listen to anything milder: the test's own process may hold that back. Nobody waits for it.
      kill(process.processIdentifier, SIGKILL)
    }

    private static func start(_ process: Process, _ arguments: [String]) throws -> Pipe {
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["openssl"] + arguments
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      process.standardInput = FileHandle.nullDevice
      try process.run()
      return output
    }
  }

  private func client(_ variables: [String: String]) -> HTTPClient {
    var world = AWSWorld.system
    world.environment = { variables[$0] }
    return HTTPClient(HTTPOptions(world: world))
  }

  @Test("A server is believed by a certificate of the usual variables, and by no other")
  func certificates() async throws {
    let hasOpenSSL = AWSWorld.system.environment("PATH")?.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: $0 + "/openssl")
    }
    try TestWorld.require("the command openssl", hasOpenSSL == true)
    try await TestWorld.withTemporaryFolder { folder in
      let server = try PageServer(folder)
      for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let response = try await client([name: folder + "/certificate"]).send(
          HTTPRequest("GET", server.url + "/"))
        #expect(response.head.status == 200 && !response.body.isEmpty)
      }
      for variables in [[:], ["AWS_CA_BUNDLE": folder + "/none", "SSL_CERT_FILE": folder + "/certificate"]] {
        let aws = AWSClient(http: client(variables), credentials: StaticCredentials.anonymous)
        let endpoint = try #require(AWSEndpoint(server.url))
        let error = await #expect(throws: AWSError.self) {
          try await aws.send(AWSRequest("GET", "/", of: .s3, in: "r", at: endpoint))
        }
        #expect(error?.http?.kind == .tls && error?.mayHaveArrived == false && error?.sending.attempts == 1)
      }
    }
  }
}
