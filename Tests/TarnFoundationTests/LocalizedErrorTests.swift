import DynamoDBJSON
import Foundation
import Tarn
import TarnCDC
import TarnColumns
import TarnExpressions
import TarnFoundation
import TarnStorage
import TarnTimeline
import Testing

@Suite("Errors as Foundation shows them") struct LocalizedErrorTests {
  @Test(
    "The localized description is the error's own",
    arguments: [
      (TableError(.badRow, "row 3: no key"), "row 3: no key"),
      (StorageError(.noSpace, path: "a/b", "the disk is full"), "a/b: the disk is full"),
      (ColumnError.refused(row: 2, reason: "no key"), "row 2 of the batch: no key"),
      (ExpressionError(.noColumn, "there is no column x"), "there is no column x"),
      (ChangeError.handler("enough"), "enough"), (RejectionReason.refused(why: "no key"), "no key"),
    ] as [(any Error, String)])
  func localizedDescriptions(_ error: any Error, _ expected: String) {
    #expect(error.localizedDescription == expected)
  }

  @Test("So is that of texts of a timeline that do not read")
  func timelineErrors() {
    let properties = #expect(throws: JavaPropertiesError.self) {
      try JavaProperties(parsing: Array("a=\\u1".utf8))
    }
    #expect(properties?.localizedDescription == "line 1: \\u is not followed by four hexadecimal digits")
    let metadata = #expect(throws: CommitMetadataError.self) { try CommitMetadata(parsing: Array("[]".utf8)) }
    #expect(metadata?.localizedDescription == "it is no JSON object")
  }

  @Test("So is that of an error that was thrown")
  func thrownErrors() throws {
    let error = #expect(throws: DynamoDBJSONError.self) { try AttributeValue(json: "{}") }
    #expect(error?.localizedDescription == error?.description)
  }
}
