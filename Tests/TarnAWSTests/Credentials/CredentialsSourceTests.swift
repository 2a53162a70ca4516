import TarnAWS
import TarnTestSupport
import Testing

/// Where credentials come from.
@Suite("Sources of credentials") struct CredentialsSourceTests {
  private static let files = [
    "/h/.aws/config": """
    [profile mixed]
    aws_access_key_id = WRONG
    [profile process]
    credential_process = give keys
    [profile role]
    role_arn = arn:aws:iam::1:role/r
    source_profile = default
    external_id = e x
    role_session_name = me
    region = eu-west-1
    [profile second]
    role_arn = arn:aws:iam::1:role/second
    source_profile = role
    [profile self]
    role_arn = arn:aws:iam::1:role/self
    source_profile = self
    aws_access_key_id = SELFKEY
    aws_secret_access_key = hush
    [profile one]
    role_arn = r
    source_profile = two
    [profile two]
    role_arn = r
    source_profile = one
    [profile environment]
    role_arn = arn:aws:iam::1:role/env
    credential_source = Environment
    [profile code]
    role_arn = r
    source_profile = default
    mfa_serial = arn:aws:iam::1:mfa/me
    [profile token]
    role_arn = arn:aws:iam::1:role/token
    web_identity_token_file = ~/token
    [profile login]
    sso_session = corp
    sso_account_id = 12
    sso_role_name = Admin
    [sso-session corp]
    sso_region = eu-west-1
    sso_start_url = https://corp.example
    [profile empty]
    region = x
    """,
    "/h/.aws/credentials": """
    [default]
    aws_access_key_id = FILEKEY
    aws_secret_access_key = hush
    [mixed]
    aws_access_key_id = OWNKEY
    aws_secret_access_key = hush
    [half]
    aws_access_key_id = HALF
    """,
    "/h/token": " web.identity.token\n",
  ]

  private func surroundings(_ variables: [String: String] = [:], server: ScriptedServer? = nil)
    -> TestSurroundings
  {
    var surroundings = TestSurroundings()
    surroundings.files = Self.files
    surroundings.variables.merge(variables) { $1 }
    if let server { surroundings.variables["AWS_ENDPOINT_URL"] = server.url }
    return surroundings
  }

  private func options(profile: String) -> AWSConfiguration.Options {
    var options = AWSConfiguration.Options()
    options.profile = profile
    return options
  }

  private static let environment = ["AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "hush"]

  @Test("Options come before variables, and these before files, unless the options name a profile")
  func order() async {
    #expect(await surroundings().found() == "FILEKEY")
    #expect(await surroundings(Self.environment).found() == "ENVKEY")
    #expect(await surroundings(Self.environment).found(options(profile: "mixed")) == "OWNKEY")
    #expect(await surroundings(["AWS_PROFILE": "mixed"]).found() == "OWNKEY")
    var given = AWSConfiguration.Options()
    given.credentials = AWSCredentials(accessKeyID: "GIVEN", secretAccessKey: Secret("hush"))
    #expect(await surroundings(Self.environment).found(given) == "GIVEN")
    given.isAnonymous = true
    #expect(await surroundings(Self.environment).found(given) == "anonymous")
  }

  @Test("Session tokens and ends of variables are taken")
  func environmentDetails() async throws {
    let variables = Self.environment.merging([
      "AWS_SESSION_TOKEN": "hush-token", "AWS_CREDENTIAL_EXPIRATION": "2026-01-01T05:00:00Z",
    ]) { $1 }
    let found = try #require(await surroundings(variables).chain().credentials())
    #expect(found.sessionToken == Secret("hush-token") && found.expiration == 1_767_243_600_000_000)
  }

  @Test("Where there are none, the error tells where was looked")
  func nothingAnywhere() async throws {
    var surroundings = TestSurroundings()
    surroundings.variables["AWS_ACCESS_KEY_ID"] = "ONLY"
    let text = await surroundings.found()
    for part in [
      "environment: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
      "profile: /h/.aws/config is not there, /h/.aws/credentials is not there",
      "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
      "container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
      "instance metadata: AWS_EC2_METADATA_DISABLED is set",
    ] { #expect(text.contains(part), "\(part) in \(text)") }
    #expect(!text.contains("\n"))
    surroundings.files["/h/.aws/config"] = "[profile other]"
    surroundings.variables = ["HOME": "/h", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"]
    let other = await surroundings.found()
    #expect(
      other.contains("profile: the shared files have no profile default, /h/.aws/credentials is not there"))
    #expect(other.contains("instance metadata: no answer of http://127.0.0.1:1"))
  }

  @Test("A role is taken on with the keys of another profile, several in turn too")
  func roles() async throws {
    let server = try ScriptedServer { request in
      .status(
        200, body: TestSurroundings.roleAnswer(key: request.text.contains("second") ? "SECOND" : "FIRST"))
    }
    #expect(await surroundings(server: server).found(options(profile: "second")) == "SECOND")
    #expect(server.requests.count == 2)
    let first = server.requests[0]
    #expect(
      first.method == "POST" && first["authorization"]?.contains("FILEKEY/20260101/eu-west-1/sts/") == true)
    #expect(
      first.text.split(separator: "&").sorted() == [
        "Action=AssumeRole", "ExternalId=e%20x", "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr",
        "RoleSessionName=me",
        "Version=2011-06-15",
      ])
    #expect(server.requests[1]["authorization"]?.contains("FIRST/") == true)
    #expect(server.requests[1]["x-amz-security-token"] == "hush-token")
    #expect(await surroundings(server: server).found(options(profile: "self")) == "FIRST")
    #expect(server.requests[2]["authorization"]?.contains("SELFKEY/") == true)
    #expect(
      await surroundings(Self.environment, server: server).found(options(profile: "environment")) == "FIRST")
    #expect(server.requests[3]["authorization"]?.contains("ENVKEY/") == true)
  }

  @Test(
    "Profiles that give no credentials say why",
    arguments: [
      ("one", "profile one: its source_profile leads back to it: one, two, one"), ("code", "mfa_serial"),
      ("half", "aws_access_key_id is there, but no aws_secret_access_key"),
      ("empty", "profile: the profile empty has none"),
      ("nobody", "no shared file has this profile"),
      ("process", "credential_process: the command is not known"),
      ("environment", "its credential_source Environment: AWS_ACCESS_KEY_ID is not set"),
      ("login", "there is no token in /h/.aws/sso/cache/"),
    ])
  func profileErrors(profile: String, expected: String) async {
    let text = await surroundings().found(options(profile: profile))
    #expect(text.contains(expected), "\(text)")
  }

  @Test("What a service refuses goes to the caller, and to no other source")
  func refusals() async throws {
    let server = try ScriptedServer { _ in
      .status(403, body: "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
    }
    let text = await surroundings(server: server).found(options(profile: "role"))
    #expect(text.contains("role arn:aws:iam::1:role/r") && text.contains("AccessDenied"))
    let garbage = try ScriptedServer { _ in .status(200, body: "<html>") }
    let other = await surroundings(server: garbage).found(options(profile: "role"))
    #expect(other.contains("the answer of the Security Token Service has none"))
  }

  @Test("A web identity is exchanged without a signature, its token read anew each time")
  func webIdentity() async throws {
    let server = try ScriptedServer { _ in .status(200, body: TestSurroundings.roleAnswer(key: "WEB")) }
    var surroundings = surroundings(
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "/h/token", "AWS_ROLE_ARN": "arn:web", "AWS_ROLE_SESSION_NAME": "s"],
      server: server)
    surroundings.files["/h/.aws/credentials"] = ""
    #expect(await surroundings.found() == "WEB")
    let seen = try #require(server.requests.first)
    #expect(seen["authorization"] == nil && seen.text.contains("WebIdentityToken=web.identity.token"))
    #expect(seen.text.contains("Action=AssumeRoleWithWebIdentity") && seen.text.contains("RoleArn=arn%3Aweb"))
    #expect(await surroundings.found(options(profile: "token")) == "WEB")
    surroundings.files["/h/token"] = nil
    #expect(await surroundings.found().contains("the file /h/token is not there"))
  }

  @Test("A process gives keys as JSON")
  func process() async throws {
    var surroundings = surroundings()
    surroundings.processes["give keys"] = .output(
      Array(#"{"Version":1,"AccessKeyId":"PROC","SecretAccessKey":"hush","SessionToken":"hush-token"}"#.utf8))
    let found = try #require(await surroundings.chain(options(profile: "process")).credentials())
    #expect(
      found.accessKeyID == "PROC" && found.sessionToken == Secret("hush-token") && found.expiration == nil)
    surroundings.processes["give keys"] = .output(Array("hush {".utf8))
    let text = await surroundings.found(options(profile: "process"))
    #expect(text.contains("no JSON with credentials") && !text.contains("hush"))
  }

  @Test("A token of single sign-on is exchanged, unless it has expired")
  func singleSignOn() async throws {
    let server = try ScriptedServer { _ in
      .status(
        200,
        body: #"{"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":"hush","sessionToken":"t","#
          + #""expiration":1767229200000}}"#)
    }
    var surroundings = surroundings(server: server)
    // Of the session's name, as `printf corp | sha1sum` has it.
    let path = "/h/.aws/sso/cache/\(Self.sha1OfCorp).json"
    surroundings.files[path] = #"{"accessToken":"hush-bearer","expiresAt":"2026-01-01T08:00:00Z"}"#
    let found = try #require(await surroundings.chain(options(profile: "login")).credentials())
    #expect(found.accessKeyID == "SSO" && found.expiration == 1_767_229_200_000_000)
    let seen = try #require(server.requests.first)
    #expect(seen.target == "/federation/credentials?account_id=12&role_name=Admin")
    #expect(seen["x-amz-sso_bearer_token"] == "hush-bearer" && seen["authorization"] == nil)
    surroundings.files[path] = #"{"accessToken":"hush-bearer","expiresAt":"2025-12-31T23:00:00Z"}"#
    let text = await surroundings.found(options(profile: "login"))
    #expect(text.contains("has expired; run: aws sso login --profile login") && !text.contains("hush"))
  }

  private static let sha1OfCorp = "ee0bfd2552fbd840c02cc48b6e823320543c450f"

  @Test("A container's endpoint is asked with its token, near by or over TLS only")
  func container() async throws {
    let server = try ScriptedServer { _ in .status(200, body: TestSurroundings.document(key: "POD")) }
    var surroundings = TestSurroundings()
    surroundings.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.url + "/v1/credentials?a=%20b"
    surroundings.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/var/token"
    surroundings.files["/var/token"] = "hush-pod\n"
    #expect(await surroundings.found() == "POD")
    let seen = try #require(server.requests.first)
    #expect(seen.target == "/v1/credentials?a=%20b" && seen["authorization"] == "hush-pod")
    surroundings.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = nil
    surroundings.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "hush-other"
    #expect(await surroundings.found() == "POD")
    #expect(server.requests[1]["authorization"] == "hush-other")
    for url in [
      "http://198.51.100.7/x", "http://localhost.evil.example/x", "http://127.0.0.1.evil.example/x",
      "http://169.254.170.3/x", "http://[::2]/x", "nonsense",
    ] {
      surroundings.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url
      #expect(await surroundings.found().contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "\(url)")
    }
  }

  @Test("An instance's role is asked for with a session's token")
  func instance() async throws {
    let server = try ScriptedServer { request in
      switch (request.method, request.path) {
      case ("PUT", "/latest/api/token"): .status(200, body: "imds-hush")
      case ("GET", "/latest/meta-data/iam/security-credentials/"): .status(200, body: "my role\n")
      case ("GET", "/latest/meta-data/iam/security-credentials/my%20role"):
        .status(200, body: TestSurroundings.document(key: "EC2"))
      default: .status(404)
      }
    }
    var surroundings = TestSurroundings()
    surroundings.variables = ["HOME": "/h", "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url]
    #expect(await surroundings.found() == "EC2")
    #expect(server.requests[0]["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
    #expect(server.requests.dropFirst().allSatisfy { $0["x-aws-ec2-metadata-token"] == "imds-hush" })
    let without = try ScriptedServer { request in
      request.method == "PUT" ? .status(200, body: "t") : .status(404)
    }
    surroundings.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = without.url
    #expect(await surroundings.found().contains("gives no role to this instance: status 404"))
    let failing = try ScriptedServer { request in
      request.method == "PUT"
        ? .status(200, body: "t") : .status(200, body: #"{"Code":"AssumeRoleUnauthorizedAccess"}"#)
    }
    surroundings.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = failing.url
    #expect(await surroundings.found().contains("says AssumeRoleUnauthorizedAccess"))
  }
}
