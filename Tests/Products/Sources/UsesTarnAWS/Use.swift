import TarnAWS

func use(_ credentials: AWSCredentials) -> AWSClient {
  AWSClient(http: HTTPClient(HTTPOptions(world: .system)), credentials: StaticCredentials(credentials))
}
