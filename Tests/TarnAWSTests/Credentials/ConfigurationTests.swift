import TarnAWS
import TarnTestSupport
import Testing

/// Region, profile and endpoints.
@Suite("Configuration of AWS") struct ConfigurationTests {
  private static let config = """
    # shared
    [default]
    region = us-east-2 # near
    endpoint_url=http://profile.example
    [ profile  work ]
    Region=eu-west-1
    services = local
    s3 =
      addressing_style = path
      ; nothing
      endpoint_url = ignored by others
    broken line
    [profile "with blank"]
    region =	ap-south-1
    [services local]
    s3 =
      endpoint_url = http://127.0.0.1:7480/
    [sso-session work]
    region = none
    """

  private func surroundings(_ variables: [String: String] = [:]) -> TestSurroundings {
    var surroundings = TestSurroundings()
    surroundings.files = ["/h/.aws/config": Self.config, "/else": "[profile far]\nregion=x-1"]
    surroundings.variables.merge(variables) { $1 }
    return surroundings
  }

  @Test(
    "The region comes from the options, the variables, and then the profile",
    arguments: [
      ([:], nil, nil, "us-east-2" as String?),
      (["AWS_PROFILE": "work"], nil, nil, "eu-west-1"),
      (["AWS_PROFILE": "work"], "with blank", nil, "ap-south-1"),
      (["AWS_DEFAULT_REGION": "b"], nil, nil, "b"),
      (["AWS_DEFAULT_REGION": "b", "AWS_REGION": "a"], nil, nil, "a"),
      (["AWS_REGION": "a"], nil, "o", "o"), (["AWS_REGION": ""], nil, nil, "us-east-2"),
      (["AWS_CONFIG_FILE": "/else"], nil, nil, nil), (["AWS_CONFIG_FILE": "/else"], "far", nil, "x-1"),
    ])
  func region(variables: [String: String], profile: String?, option: String?, expected: String?) throws {
    var options = AWSConfiguration.Options()
    (options.profile, options.region) = (profile, option)
    #expect(try surroundings(variables).configuration(options).region == expected)
  }

  @Test(
    "The endpoint comes from the service's variable, the common one, and then the profile",
    arguments: [
      ([:], "http://profile.example" as String?, "http://profile.example" as String?),
      (["AWS_ENDPOINT_URL": "http://all"], "http://all", "http://all"),
      (["AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "https://s"], "https://s", "http://all"),
      (["AWS_PROFILE": "work"], "http://127.0.0.1:7480", nil),
      (["AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], nil, nil),
    ])
  func endpoints(variables: [String: String], s3: String?, sts: String?) throws {
    let configuration = try surroundings(variables).configuration()
    #expect(try configuration.endpoint(for: .s3)?.description == s3)
    #expect(try configuration.endpoint(for: .sts)?.description == sts)
  }

  @Test("Settings of the profile, those within another too")
  func settings() throws {
    let configuration = try surroundings(["AWS_PROFILE": "work"]).configuration()
    #expect(configuration.setting("s3.addressing_style") == "path" && configuration.setting("none") == nil)
  }

  @Test("A profile that is nowhere, and an endpoint that is no URL, are named")
  func errors() throws {
    let error = #expect(throws: AWSError.self) {
      try surroundings(["AWS_PROFILE": "nobody", "AWS_SHARED_CREDENTIALS_FILE": "~/c"]).configuration()
    }
    #expect(error?.kind == .configuration)
    #expect(error?.description == "profile nobody: no shared file has this profile: ~/c is not there")
    let configuration = try surroundings(["AWS_ENDPOINT_URL_S3": "localhost"]).configuration()
    #expect(throws: AWSError.self) { try configuration.endpoint(for: .s3) }
  }

  @Test("Mutated files are read or passed over, and end no process")
  func mutations() {
    var generator = SeededGenerator(seed: 5)
    let original = Array(Self.config.utf8)
    for _ in 0..<2_000 {
      var surroundings = surroundings()
      var bytes = original
      for _ in 0...generator.below(8) {
        let place = generator.below(bytes.count)
        if generator.oneIn(2) {
          bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        } else {
          bytes.removeSubrange(place..<min(bytes.count, place + generator.below(9)))
        }
      }
      surroundings.files["/h/.aws/config"] = String(decoding: bytes, as: UTF8.self)
      if let found = try? surroundings.configuration() { _ = try? found.endpoint(for: .s3) }
    }
  }
}
