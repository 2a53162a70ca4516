import TarnAWS
import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// How requests go out, and what is said where the place is wrong.
@Suite("Requests to S3") struct RequestTests {
  @Test("A bucket of another region is asked there, and from then on")
  func otherRegion() async throws {
    let store = try ScriptedStore { request in
      guard request["authorization"]?.contains("/eu-west-3/s3/") == true else {
        return request.method == "HEAD"
          ? .status(400, [("x-amz-bucket-region", "eu-west-3")])
          : .status(
            301, [("x-amz-bucket-region", "eu-west-3")], body: ScriptedStore.error("PermanentRedirect"))
      }
      return .status(200, [("ETag", "\"t\""), ScriptedStore.modified], body: "x")
    }
    #expect(try await store.storage.info(of: "a").tag == ObjectTag("t"))
    #expect(try await store.storage.get("a", limit: 10).bytes == Array("x".utf8))
    #expect(store.methods == ["HEAD", "HEAD", "GET"])
  }

  @Test(
    "What is wrong with the place is said in a line",
    arguments: [
      (404, "", ScriptedStore.error("NoSuchBucket"), StorageError.Code.failed, "there is no bucket"),
      (403, "", ScriptedStore.error("AccessDenied"), .permissionDenied, "s3:GetObject was refused on"),
      (403, "", ScriptedStore.error("SignatureDoesNotMatch"), .permissionDenied, "SignatureDoesNotMatch"),
      (404, "text/html", "<html>\n<body>nothing\n</body></html>", .failed, "look at the endpoint"),
      (200, "text/html", "<html>\n<body>Welcome\n</body></html>", .failed, "look at the endpoint"),
      (404, "", ScriptedStore.error("NoSuchKey"), .notFound, "no such object"),
      (404, "text/plain", "gone", .failed, "look at the endpoint"),
      (404, "", "", .failed, "look at the endpoint"),
      (400, "", ScriptedStore.error("KeyTooLongError"), .invalidPath, "too long"),
    ])
  func wrongPlace(status: Int, type: String, body: String, code: StorageError.Code, says: String) async throws
  {
    let store = try ScriptedStore { _ in
      .status(status, type.isEmpty ? [] : [("content-type", type)], body: body)
    }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.get("a", limit: 10_000)
    }
    #expect(error.code == code && error.message.contains(says) && !"\(error)".contains("\n"))
  }

  @Test("A key that is too long is refused before anything is asked")
  func longKeys() async throws {
    let store = try ScriptedStore(prefix: String(repeating: "p", count: 1_000)) { _ in .status(500) }
    let error = await store.failure { storage throws(StorageError) in
      _ = try await storage.get(String(repeating: "a", count: 40), limit: 1)
    }
    #expect(error.code == .invalidPath && store.requests.isEmpty)
  }

  @Test("Options become headers")
  func optionHeaders() async throws {
    let store = try ScriptedStore(prefix: "") { options in
      options.encryption = .kms(keyID: "key")
      options.isRequesterPays = true
    } _: { _ in
      ScriptedStore.tagged("t")
    }
    try await store.storage.put(Array("123456789".utf8), at: "a", if: .always)
    let request = try #require(store.requests.first)
    #expect(request["x-amz-server-side-encryption"] == "aws:kms")
    #expect(request["x-amz-server-side-encryption-aws-kms-key-id"] == "key")
    #expect(request["x-amz-request-payer"] == "requester")
    #expect(
      request["x-amz-checksum-crc32"] == "y/Q5Jg==" && request["x-amz-sdk-checksum-algorithm"] == "CRC32")
    let plain = try ScriptedStore(prefix: "") { options in
      options.checksums = .whenRequired
      options.isAnonymous = true
      options.encryption = .s3
    } _: { _ in
      ScriptedStore.tagged("t")
    }
    try await plain.storage.put([1], at: "a", if: .always)
    let other = try #require(plain.requests.first)
    #expect(other["x-amz-checksum-crc32"] == nil && other["authorization"] == nil)
    #expect(other["x-amz-server-side-encryption"] == "AES256")
  }

  @Test(
    "URLs name a bucket and a prefix",
    arguments: [
      ("s3://bucket", "bucket", ""), ("s3://bucket/", "bucket", ""),
      ("s3://my.bucket/a/b", "my.bucket", "a/b/"),
      ("S3A://bucket/a b//c/", "bucket", "a b//c/"), ("s3n://bucket/é%20", "bucket", "é%20/"),
    ])
  func locations(url: String, bucket: String, prefix: String) throws {
    let location = try S3Location(url)
    #expect(location.bucket == bucket && location.prefix == prefix)
    #expect(S3Location.isURL(url))
  }

  @Test(
    "What is no URL of a bucket is refused",
    arguments: [
      "s3://", "s3:///a", "bucket/a", "http://bucket/a", "s3://a b/c", "s3://arn:aws:s3::1:accesspoint/x",
      "s3://x.mrap/a",
      "s3://.a/b", "s3://a..b/c",
    ])
  func noLocations(url: String) {
    #expect(throws: StorageError.self) { try S3Location(url) }
  }

  @Test("Without credentials, the error says where they were sought")
  func noCredentials() async throws {
    let store = try ScriptedStore(prefix: "") {
      $0.credentials = nil
    } _: { _ in
      .status(200)
    }
    let error = await store.failure { storage throws(StorageError) in _ = try await storage.info(of: "a") }
    #expect(error.code == .permissionDenied && error.message.contains("AWS_ACCESS_KEY_ID"))
    #expect(store.requests.isEmpty)
  }

  @Test("What the environment says is taken where options leave it open")
  func environment() async throws {
    let server = try ScriptedServer { _ in ScriptedStore.tagged("t", body: "x") }
    let variables = [
      "AWS_REGION": "eu-north-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": server.url,
      "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "token",
    ]
    var options = S3Options()
    options.world.environment = { variables[$0] }
    options.http = HTTPClient()
    let storage = try S3Storage(S3Location("s3://my.bucket/p"), client: try S3Client(options))
    _ = try await storage.get("a", limit: 10)
    let request = try #require(server.requests.first)
    #expect(request.path == "/my.bucket/p/a" && request["x-amz-security-token"] == "token")
    #expect(request["authorization"]?.contains("AKID/") == true)
    #expect(request["authorization"]?.contains("/eu-north-1/s3/") == true)
  }
}
