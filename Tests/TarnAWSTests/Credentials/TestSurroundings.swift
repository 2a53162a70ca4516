import Synchronization
import TarnAWS
import TarnTestSupport

/// Variables, files and processes that a test gives, in manual time.
struct TestSurroundings {
  let time = ManualTime()
  var variables = ["HOME": "/h", "AWS_EC2_METADATA_DISABLED": "true"]
  var files: [String: String] = [:]
  var processes: [String: AWSWorld.ProcessOutcome] = [:]
  let events = Collected()

  var world: AWSWorld {
    var world = AWSWorld.manual(time, variables)
    let (files, processes) = (files, processes)
    world.readFile = { path in files[path].map { .bytes(Array($0.utf8)) } ?? .absent }
    world.run = { processes[$0] ?? .failure("is not known") }
    return world
  }

  func configuration(_ options: AWSConfiguration.Options = .init()) throws(AWSError) -> AWSConfiguration {
    try AWSConfiguration(options, world: world)
  }

  func chain(_ options: AWSConfiguration.Options = .init()) throws(AWSError) -> AWSCredentialsChain {
    let events = events
    return AWSCredentialsChain(
      try configuration(options), http: HTTPClient(), observer: { events.add("\($0)") })
  }

  /// The name of the key that is found, or the error's text.
  func found(_ options: AWSConfiguration.Options = .init()) async -> String {
    do throws(AWSError) {
      return try await chain(options).credentials()?.accessKeyID ?? "anonymous"
    } catch {
      return "\(error)"
    }
  }

  /// The answer of the Security Token Service.
  static func roleAnswer(key: String, expiration: String = "2026-01-01T01:00:00Z") -> String {
    """
    <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>\(key)</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>hush-token</SessionToken>
    <Expiration>\(expiration)</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
    """
  }

  /// The answer of a container's endpoint or an instance's metadata.
  static func document(key: String, expiration: String = "2026-01-01T01:00:00Z") -> String {
    """
    {"Code":"Success","AccessKeyId":"\(key)","SecretAccessKey":"hush","Token":"hush-token","Expiration":"\(expiration)"}
    """
  }
}
