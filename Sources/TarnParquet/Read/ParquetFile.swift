import TarnBytes
import TarnColumns
import TarnStorage

/// A Parquet file whose footer has been read.
///
/// Columns that cannot be read are left out of ``schema`` and listed in ``unreadable``. Types in memory:
/// unsigned integers of 8 and 16 bits become `int32`, of 32 bits `int64`, of 64 bits `decimal(20,0)`;
/// nanoseconds become microseconds, and an error where digits would be lost (see ``cuttingNanoseconds()``); INT96
/// becomes an instant in microseconds, likewise. Format: the Parquet specification, `README.md` and `parquet.thrift`.
public struct ParquetFile: Sendable {
  /// The file's path in its storage.
  public let path: String
  /// The file's size in bytes.
  public let size: Int
  /// Bytes that the pages of all columns take before compression.
  package var uncompressedBytes: Int {
    metadata.groups.reduce(0) { total, group in
      group.columns.reduce(total) {
        let (sum, overflow) = $0.addingReportingOverflow(max($1.uncompressedSize, 0))
        return overflow ? Int.max : sum
      }
    }
  }
  /// About how many bytes of memory the footer takes.
  package let footerMemory: Int
  /// The columns that can be read.
  public let schema: Schema
  /// Names of the columns that cannot be read, each with the reason.
  public let unreadable: [String: String]
  /// Names of the columns of the null type (`UNKNOWN` in `LogicalTypes.md`), which hold nothing but nulls, and whose type
  /// in ``schema`` is only that of their storage.
  public let untyped: Set<String>
  /// The key-value metadata of the footer.
  public var keyValues: [ParquetKeyValue] { metadata.keyValues }
  /// The program that wrote the file, as it calls itself.
  public var createdBy: String? { metadata.createdBy }
  /// Number of rows.
  public var rowCount: Int { metadata.rowCount }
  /// Bytes that the pages of all columns take, with their headers.
  public var encodedBytes: Int {
    metadata.groups.reduce(0) { total, group in group.columns.reduce(total) { $0 &+ $1.compressedSize } }
  }
  /// Bytes that the pages of some columns take; no more than the file has, whatever its footer says.
  package func encodedBytes(columns: [Int]) -> Int {
    let leaves = leaves(of: columns)
    return metadata.groups.reduce(0) { total, group in
      leaves.reduce(total) { min($0 + min(max(group.columns[$1.chunk].compressedSize, 0), size), size) }
    }
  }
  /// Bytes that the pages of a row group take.
  package func encodedBytes(inGroup group: Int) -> Int {
    metadata.groups[group].columns.reduce(0) { $0 &+ $1.compressedSize }
  }
  /// Number of row groups.
  public var rowGroupCount: Int { metadata.groups.count }

  /// Whether strings stay positions in the file's dictionaries; see ``keepingDictionaries()``.
  public private(set) var keepsDictionaries = false
  /// Whether digits of times that are finer than microseconds are cut; see ``cuttingNanoseconds()``.
  public private(set) var cutsNanoseconds = false

  /// Whom to tell of a page index that is not used.
  private(set) var notices: PageIndexNotices?

  /// The tag of the version that is read, where it is known.
  package let tag: ObjectTag?

  let storage: any Storage
  let metadata: FileMetadata
  /// The trees of the columns that can be read.
  let nodes: [SchemaNode]

  /// Bytes at the end of a file that are read first, in the hope that they hold the footer.
  static let footerGuess = 64 << 10
  /// The footer's length and the magic number behind it.
  private static let tailByteCount = 8

  /// Opens a file by reading its footer, usually in one request.
  ///
  /// - Parameters:
  ///   - storage: The storage that holds it.
  ///   - path: Its path there.
  ///   - size: The file's size, where the caller knows it; else the storage is asked.
  ///   - tag: The tag of the file that is meant, where the caller knows it with its size: what is copied of it to
  ///     another file is copied of this version, or not at all.
  /// - Throws: ``ParquetError`` where the storage fails, or the file is no Parquet file, damaged or encrypted.
  public static func open(
    _ storage: any Storage, path: String, size: Int? = nil, tag: ObjectTag? = nil
  ) async throws(ParquetError) -> ParquetFile {
    guard !Task.isCancelled else { throw ParquetError(.cancelled, path: path, "the reading was cancelled") }
    do {
      var tag = tag
      let total: Int
      if let size {
        total = size
      } else {
        let info = try await storage.info(of: path)
        total = info.size
        tag = tag ?? info.tag
      }
      guard total >= tailByteCount + 4 else {
        throw ParquetError(.malformed, path: path, "\(total) bytes are too few for a Parquet file")
      }
      var buffer = ByteBuffer()
      let first = max(0, total - max(footerGuess, storage.costs.widestGap))
      try await storage.read(path, range: first..<total, into: &buffer)
      let length = try footerLength(buffer.bytes, path, total)
      let start = total - tailByteCount - length
      if start < first {
        try await storage.read(path, range: start..<total, into: &buffer)
      }
      return try ParquetFile(storage, path, total, tag, buffer.bytes, footerLength: length)
    } catch let error as StorageError {
      throw ParquetError(error, path: path)
    } catch let error as ParquetError {
      throw error
    } catch {
      throw ParquetError(.malformed, path: path, "the footer cannot be read")
    }
  }

  private static func footerLength(
    _ tail: RawSpan, _ path: String, _ total: Int
  ) throws(ParquetError) -> Int {
    var reader = ByteReader(tail, at: tail.byteCount - tailByteCount)
    guard tail.byteCount >= tailByteCount, let length = try? reader.readLittleEndian(UInt32.self),
      let magic = try? reader.readLittleEndian(UInt32.self)
    else { throw ParquetError(.malformed, path: path, "the file is too short") }
    switch magic {
    case ParquetMagic.plain: break
    case ParquetMagic.encrypted:
      throw ParquetError(.unsupported, path: path, "the file is encrypted, which is not supported")
    default:
      throw ParquetError(
        .malformed, path: path, "it does not end as a Parquet file does: no Parquet file, or cut short")
    }
    guard Int(length) <= total - tailByteCount - 4 else {
      throw ParquetError(
        .malformed, path: path, offset: total - tailByteCount,
        "a footer of \(length) bytes does not fit into \(total) bytes")
    }
    return Int(length)
  }

  /// Parses a footer that lies before the last eight of `tail`'s bytes.
  init(
    _ storage: any Storage, _ path: String, _ size: Int, _ tag: ObjectTag?, _ tail: RawSpan, footerLength: Int
  ) throws(ParquetError) {
    let end = tail.byteCount - Self.tailByteCount
    guard footerLength <= end else { throw ParquetError(.malformed, path: path, "the footer is cut short") }
    // What a footer spells out takes some more as values.
    footerMemory = 2 * footerLength
    do throws(FormatError) {
      var reader = ThriftReader(tail.extracting(end - footerLength..<end))
      var metadata = try reader.fileMetadata()
      var mapping = try SchemaMapping(metadata.schema, hasOrderOfType: metadata.hasOrderOfType ?? [])
      for group in metadata.groups where group.columns.count != mapping.chunkCount {
        throw FormatError.malformed("a row group has another number of columns than the schema")
      }
      mapping.leaveOutUnreadable(metadata.groups)
      let rows = try metadata.countedRows()
      if metadata.lacksDictionaryHeaders { metadata.addSlack(upTo: size - Self.tailByteCount - footerLength) }
      // Old versions of parquet-rs leave the file's number of rows at zero.
      if metadata.rowCount == 0 { metadata.rowCount = rows }
      guard rows >= 0, rows == metadata.rowCount else {
        throw FormatError.malformed("the row groups hold another number of rows than the file")
      }
      self.metadata = metadata
      let doubtful = metadata.calendarObjections(mapping.columns)
      nodes = mapping.columns.filter { doubtful[$0.field.name] == nil }
      schema = Schema(nodes.map(\.field))
      unreadable = mapping.unreadable.merging(doubtful) { first, _ in first }
      untyped = mapping.untyped
    } catch {
      throw ParquetError(
        error.code, path: path, offset: size - Self.tailByteCount - footerLength, "footer: \(error.message)")
    }
    self.storage = storage
    self.path = path
    self.size = size
    self.tag = tag
  }

  /// The same file with other columns.
  init(_ file: ParquetFile, nodes: [SchemaNode]) {
    path = file.path
    size = file.size
    tag = file.tag
    footerMemory = file.footerMemory
    storage = file.storage
    metadata = file.metadata
    unreadable = file.unreadable
    untyped = file.untyped
    keepsDictionaries = file.keepsDictionaries
    cutsNanoseconds = file.cutsNanoseconds
    notices = file.notices
    self.nodes = nodes
    schema = Schema(nodes.map(\.field))
  }

  /// The same file, of which strings and binary are read as positions in the file's dictionaries.
  ///
  /// Their columns have the layout ``TarnColumns/Column/Values/dictionary(_:)`` where all pages of the row group
  /// or batch refer to a dictionary, which columns of few different strings do, or where some do and their strings
  /// would be long end to end; others are as ever.
  public func keepingDictionaries() -> ParquetFile {
    var file = self
    file.keepsDictionaries = true
    return file
  }

  /// The same file, of which times lose the digits that are finer than microseconds, towards the past.
  ///
  /// Without it, a time that has such digits is an error.
  public func cuttingNanoseconds() -> ParquetFile {
    var file = self
    file.cutsNanoseconds = true
    return file
  }

  /// The same file, which tells, once for each column, that a page index is not used since it is damaged, or
  /// contradicts itself or the file.
  public func warning(_ tell: @escaping @Sendable (String) -> Void) -> ParquetFile {
    var file = self
    file.notices = PageIndexNotices(tell)
    return file
  }

  /// The value of a key of the footer's metadata; nil where it has none.
  public func keyValue(_ key: String) -> String? { keyValues.first { $0.key == key }?.value }

  /// Number of rows in a row group.
  public func rowCount(inGroup group: Int) -> Int { metadata.groups[group].rowCount }

  /// The position in ``schema`` of a column.
  ///
  /// - Throws: ``ParquetError`` where there is no such column, or it cannot be read.
  public func columnIndex(_ name: String) throws(ParquetError) -> Int {
    if let index = schema.index(of: name) { return index }
    if let reason = unreadable[name] { throw ParquetError(.unsupported, path: path, column: name, reason) }
    throw ParquetError(
      .notFound, path: path, column: name,
      "there is no such column; there are \(schema.names.joined(separator: ", "))")
  }
}

extension ParquetFile {
  /// Whether all record keys in the file are known to be as Tarn makes them, or to have been compared with those.
  package var hasKeysOfTarn: Bool { WriterName.comparesKeys(createdBy) }

  /// Whether the file's bounds of floating-point numbers are known to leave no NaN out.
  package var boundsMindNaN: Bool { WriterName.mindsNaN(createdBy) }
}

extension ParquetFile {
  /// The same file with a narrower schema: only these columns, and of structures only these fields.
  ///
  /// Columns and fields keep the file's order. Elements of lists and values of maps are stepped over: the field
  /// `n` of structures in the list `legs` is `legs.n`. A map keeps its keys.
  ///
  /// - Parameter paths: Names of columns, or of fields within them, joined by points.
  /// - Throws: ``ParquetError`` where there is no such column or field, or it cannot be read.
  public func selecting(_ paths: [String]) throws(ParquetError) -> ParquetFile {
    var wanted: Set<Int> = []
    for path in paths {
      let found = nodes.flatMap { $0.chunks(at: path, below: "") }
      if found.isEmpty {
        // Names the column that cannot be read, or says that there is none.
        _ = try columnIndex(path)
      }
      wanted.formUnion(found)
    }
    return ParquetFile(self, nodes: nodes.compactMap { node in node.pruned { wanted.contains($0.chunk) } })
  }
}

extension SchemaNode {
  /// The chunks of all leaves of the node that a path names, or of the part of it that the path names.
  fileprivate func chunks(at path: String, below prefix: String) -> [Int] {
    let name = prefix + field.name
    if name == path { return leaves.map(\.chunk) }
    return inner(at: path, below: name + ".")
  }

  /// The same for what is within, whose names follow the prefix.
  private func inner(at path: String, below prefix: String) -> [Int] {
    guard path.hasPrefix(prefix) else { return [] }
    switch shape {
    case .leaf: return []
    case .structure(let children): return children.flatMap { $0.chunks(at: path, below: prefix) }
    case .list(_, _, let element): return element.inner(at: path, below: prefix)
    case .map(_, _, _, let value): return value.inner(at: path, below: prefix)
    }
  }
}
