/// Credentials of an instance's role, from the metadata service of EC2, version 2.
enum InstanceCredentials {
  private static let place = "the instance's metadata"
  private static let roles = "/latest/meta-data/iam/security-credentials/"

  static func find(_ context: CredentialsContext) async throws(AWSError) -> CredentialsFinding {
    if context.world.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
      return .absent("AWS_EC2_METADATA_DISABLED is set")
    }
    let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    let url = context.world.variable(variable) ?? "http://169.254.169.254"
    guard let endpoint = AWSEndpoint(url) else {
      throw CredentialsContext.failure(place, "\(variable) is no URL")
    }
    var retry = RetryPolicy()
    retry.attempts = 3
    retry.time = .seconds(5)
    let client = context.client(nil, retry)
    do throws(AWSError) {
      let session = try await text(
        client,
        request("PUT", "/latest/api/token", endpoint, ["x-aws-ec2-metadata-token-ttl-seconds": "21600"]))
      let headers: HTTPHeaders = ["x-aws-ec2-metadata-token": session]
      let role = try await text(client, request("GET", roles, endpoint, headers))
        .prefix { !$0.isNewline }
      let path = roles + PercentEncoding.encode(String(role))
      let answer = try await client.send(request("GET", path, endpoint, headers))
      return .found(try CredentialsDocument.parse(answer.body, of: place))
    } catch {
      if error.kind == .credentials || error.kind == .cancelled { throw error }
      // Where there is no such service, or the instance has no role, none was meant.
      if error.kind == .noAnswer { return .absent("no answer of \(endpoint): \(error.http?.message ?? "")") }
      if let status = error.service?.status, status == 404 || status == 403 {
        return .absent("\(endpoint) gives no role to this instance: status \(status)")
      }
      throw CredentialsContext.failure(place, error)
    }
  }

  private static func request(
    _ method: String, _ path: String, _ endpoint: AWSEndpoint, _ headers: HTTPHeaders
  ) -> AWSRequest {
    var request = AWSRequest(method, path, of: .sts, in: "", at: endpoint)
    request.headers = headers
    request.isSigned = false
    request.usesProxy = false
    // It is on the machine's own link, or nowhere.
    request.timeouts.connect = .seconds(1)
    request.timeouts.stall = .seconds(2)
    request.answerLimit = 1 << 16
    return request
  }

  private static func text(_ client: AWSClient, _ request: AWSRequest) async throws(AWSError) -> String {
    String(decoding: try await client.send(request).body, as: UTF8.self)
  }
}
