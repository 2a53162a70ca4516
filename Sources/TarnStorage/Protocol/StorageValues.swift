/// When a ``Storage/put(_:at:if:)`` or ``ObjectWriter/finish(if:)`` may go ahead.
public enum PutCondition: Sendable, Hashable {
  /// Always, replacing what is there.
  case always
  /// Only where no object is at the path; exact even with several writers.
  case ifAbsent
  /// Only where the object at the path still has this tag.
  case ifMatches(ObjectTag)
}

/// Names one version of an object's content; equal tags mean equal content.
public struct ObjectTag: Sendable, Hashable {
  /// The storage's own text, opaque to callers.
  public let text: String
  /// A hash of the content, where whoever made the tag had it at hand; nil for none.
  ///
  /// It has no part in comparisons. A storage whose texts may come back, as those of a file system that uses inodes
  /// again, compares it too before it replaces an object.
  public let contentHash: UInt64?

  /// Wraps a storage's own text.
  public init(_ text: String, contentHash: UInt64? = nil) {
    self.text = text
    self.contentHash = contentHash
  }

  /// Whether two tags have one text.
  public static func == (left: ObjectTag, right: ObjectTag) -> Bool { left.text == right.text }

  /// Hashes the text.
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// What a storage knows of an object without reading it.
public struct ObjectInfo: Sendable, Hashable {
  /// Path relative to the storage's root.
  public var path: String
  /// Size in bytes.
  public var size: Int
  /// Tag of the present content.
  public var tag: ObjectTag
  /// Time of the last modification, in microseconds since 1970-01-01T00:00:00Z.
  public var modified: Int64

  /// Makes an info of its parts.
  public init(path: String, size: Int, tag: ObjectTag, modified: Int64) {
    self.path = path
    self.size = size
    self.tag = tag
    self.modified = modified
  }
}

/// A whole object, as it was at one moment.
public struct StoredObject: Sendable, Hashable {
  /// The object's bytes.
  public var bytes: [UInt8]
  /// The tag of this content.
  public var tag: ObjectTag

  /// Makes an object of its parts.
  public init(bytes: [UInt8], tag: ObjectTag) {
    self.bytes = bytes
    self.tag = tag
  }
}

/// One page of a listing.
public struct ListingPage: Sendable {
  /// Objects in ascending order of their paths.
  public var objects: [ObjectInfo]
  /// Folders at which the listing stopped, each with its trailing slash, in ascending order.
  public var folders: [String]
  /// What to pass for the next page; nil on the last one.
  public var continuation: String?

  /// Makes a page of its parts.
  public init(objects: [ObjectInfo], folders: [String] = [], continuation: String? = nil) {
    self.objects = objects
    self.folders = folders
    self.continuation = continuation
  }
}

/// What a storage's requests cost, for those who plan them.
///
/// These are hints: any values give the same results, sooner or later.
public struct RequestCosts: Sendable, Hashable {
  /// Bytes between two wanted ranges of an object up to which one request for both is cheaper than two.
  public var widestGap: Int
  /// Requests under way at once up to which more of them get more done.
  public var requestsAtOnce: Int

  /// Bytes from which on the storage copies a range of an object itself, so that the range needs no way through this
  /// process and back; 0 where that makes no difference.
  ///
  /// Where it is not 0, what lies together and stays as it is had better be as long.
  public var leastCopy: Int

  /// Whether requests that do not need each other's answers had better be under way at once: each takes long, however
  /// little it is about.
  public var overlaps: Bool

  /// Makes costs of their parts; what is below 0 or 1 is taken for that.
  public init(widestGap: Int, requestsAtOnce: Int, leastCopy: Int = 0, overlaps: Bool = false) {
    self.widestGap = max(widestGap, 0)
    self.requestsAtOnce = max(requestsAtOnce, 1)
    self.leastCopy = max(leastCopy, 0)
    self.overlaps = overlaps
  }

  /// Costs as of a local disk, or of memory: a request takes microseconds, and what is forced to the disk waits.
  public static let disk = RequestCosts(widestGap: 64 << 10, requestsAtOnce: 32)
  /// Costs as of an object store over a network: a request takes tens of milliseconds, and hundreds run at once.
  public static let objectStore = RequestCosts(widestGap: 1 << 20, requestsAtOnce: 64, overlaps: true)
}
