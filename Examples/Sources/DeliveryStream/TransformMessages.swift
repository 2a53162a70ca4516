import Foundation

/// A record on its way through a delivery stream.
struct StreamRecord: Sendable {
  var data: Data
  /// When it came, in milliseconds since 1970.
  var arrival: Int64
}

/// The event for the function: by "Transform source data in Amazon Data Firehose" in its Developer Guide.
struct TransformEvent: Encodable {
  struct Record: Encodable {
    var recordId: String
    var approximateArrivalTimestamp: Int64
    var data: Data
  }

  var invocationId: String
  var deliveryStreamArn: String
  var region = "us-east-1"
  var records: [Record]
}

/// What the function answers.
struct TransformAnswer: Decodable {
  struct Record: Decodable {
    struct Metadata: Decodable {
      var partitionKeys: [String: String]?
    }

    var recordId: String
    var result: String
    var data: Data?
    var metadata: Metadata?
  }

  var records: [Record]
}

/// A record that was not delivered, as it stands under the error prefix: by "Handle failure in data transformation".
struct FailedRecord: Encodable {
  var attemptsMade: Int
  var arrivalTimestamp: Int64
  var errorCode: String
  var errorMessage: String
  var attemptEndingTimestamp: Int64
  var rawData: Data
  var lambdaArn: String
}
