import DynamoDBJSON
import Foundation
import Tarn
import TarnColumns
import TarnExpressions
import TarnFoundation
import TarnStorage
import Testing

@Suite("Errors as Foundation shows them") struct LocalizedErrorTests {
  @Test(
    "The localized description is the error's own",
    arguments: [
      (TableError(.badRow, "row 3: no key"), "row 3: no key"),
      (StorageError(.noSpace, path: "a/b", "the disk is full"), "a/b: the disk is full"),
      (ColumnError.refused(row: 2, reason: "no key"), "row 2 of the batch: no key"),
      (ExpressionError("there is no column x"), "there is no column x"),
    ] as [(any Error, String)])
  func localizedDescriptions(_ error: any Error, _ expected: String) {
    #expect(error.localizedDescription == expected)
  }

  @Test("So is that of an error that was thrown")
  func thrownErrors() throws {
    let error = #expect(throws: DynamoDBJSONError.self) { try AttributeValue(json: "{}") }
    #expect(error?.localizedDescription == error?.description)
  }
}
