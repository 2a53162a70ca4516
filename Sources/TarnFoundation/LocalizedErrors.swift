import DynamoDBJSON
import Foundation
import Tarn
import TarnCDC
import TarnColumns
import TarnExpressions
import TarnParquet
import TarnStorage
import TarnTimeline

// Foundation shows an error by its `localizedDescription`, which says "The operation could not be completed" of an error
// that does not conform to `LocalizedError`. Below this room nothing uses Foundation, so the conformances stand here.

extension TableError: LocalizedError {
  /// What went wrong, where, and what to do.
  public var errorDescription: String? { description }
}

extension ChangeError: LocalizedError {
  /// What went wrong and where.
  public var errorDescription: String? { description }
}

extension RejectionReason: LocalizedError {
  /// What is wrong, and what to do.
  public var errorDescription: String? { description }
}

extension TimelineError: LocalizedError {
  /// The path and what is wrong.
  public var errorDescription: String? { description }
}

extension ParquetError: LocalizedError {
  /// The file, the column, the offset and what happened.
  public var errorDescription: String? { description }
}

extension StorageError: LocalizedError {
  /// The path and what happened.
  public var errorDescription: String? { description }
}

extension SystemCallError: LocalizedError {
  /// The message that the system has for the number.
  public var errorDescription: String? { description }
}

extension ColumnError: LocalizedError {
  /// What went wrong and what to do.
  public var errorDescription: String? { description }
}

extension ExpressionError: LocalizedError {
  /// What is wrong, and what to do.
  public var errorDescription: String? { description }
}

extension DynamoDBJSONError: LocalizedError {
  /// The attribute, what was wrong, and where.
  public var errorDescription: String? { description }
}

extension JavaPropertiesError: LocalizedError {
  /// The line, and what is wrong with it.
  public var errorDescription: String? { description }
}

extension CommitMetadataError: LocalizedError {
  /// What is wrong.
  public var errorDescription: String? { description }
}

extension AttributeValueMismatch: LocalizedError {
  /// What was expected.
  public var errorDescription: String? { description }
}
