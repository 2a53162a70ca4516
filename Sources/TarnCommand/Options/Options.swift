import Tarn
import TarnCDC
import TarnColumns
import TarnExpressions
import TarnTimeline

/// Every option of every command.
enum Options {
  // Tables.
  static let key = Option<[String]>.names("key", "COLUMN[,..]", "the columns whose values name a row")
  static let partitionBy = Option<[String]>.names(
    "partition-by", "COLUMN[,..]", "the columns by whose values rows are kept in folders")
  static let orderBy = Option.text(
    "order-by", "COLUMN", "the column that decides which of two rows with one key is newer")
  static let thenBy = Option<[String]>.names(
    "then-by", "COLUMN[,..]",
    "columns that decide, one behind the other, where rows are equal in that of --order-by; other engines do not know them"
  )
  static let schema = Option.text("schema", "FILE.avsc", "the columns, as an Avro schema")
  static let like = Option.text("like", "FILE.parquet", "the columns, as those of a Parquet file")
  static let type = Option.choice("type", ["cow", "mor"], "copy-on-write, or (not yet) merge-on-read")
    .standard("cow")
  static let tableVersion = Option.choice(
    "table-version", ["6", "8", "9"], "the version of Hudi's table format"
  )
  .standard("6")
  static let name = Option.text("name", "NAME", "the table's name, instead of the folder's")
  static let noHiveStyle = Option<Bool>.flag(
    "no-hive-style", "partition folders are called VALUE, not COLUMN=VALUE")
  static let noURLEncode = Option<Bool>.flag(
    "no-url-encode", "partition values that would need percent-encoding are refused instead of encoded")
  static let bloom = Option<BloomFilterChoice>(
    "bloom", "file|hudi", "size Bloom filters for the file's rows, or as Hudi does for 60,000 (431 kB a file)"
  ) { text throws(UsageError) in
    guard let choice = BloomFilterChoice(rawValue: text) else { throw UsageError("file or hudi is expected") }
    return choice
  }
  static let targetFileSize = Option<Int>.bytes(
    "target-file-size", 1_024...(1 << 40), "the size at which a new file ends (120M)")
  static let smallFileLimit = Option<Int>.bytes(
    "small-file-limit", 0...(1 << 40), "files below this size take new rows (100M)")
  static let buckets = Option<Int>.number(
    "buckets", "N", 1...999_999,
    "the buckets of each partition, as Hudi's bucket index has them; also for a table of another writer that has them"
  )
  static let bucketField = Option<[String]>.names(
    "bucket-field", "COLUMN[,..]", "with --buckets: the key columns that are hashed (all)")
  static let noMetaColumns = Option<Bool>.flag(
    "no-meta-columns",
    "Hudi's own columns stay empty: smaller files, and nothing tells which rows a commit wrote")
  static let noKeyIndex = Option<Bool>.flag(
    "no-key-index",
    "base files carry no index of their keys: smaller, slower to upsert, and deletions are forgotten")
  static let keep = Option<Retention>(
    "keep", "N[commits|versions|hours]",
    "what a clean keeps: what the latest commits wrote, so many of them, the latest versions of each file, or what was "
      + "written in so many hours (10commits)"
  ) { text throws(UsageError) in
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard let count = Int(digits), (1...1_000_000).contains(count),
      let retention = Retention(named: unit.isEmpty ? "commits" : String(unit), count)
    else {
      throw UsageError(
        "a number of commits, versions or hours is expected, as 10commits, 3versions or 24hours")
    }
    return retention
  }
  static let clusterBeyond = Option<Int>.number(
    "cluster-beyond", "FILES", 1...1_000_000, of: "files",
    "a commit that leaves more small files than this in a partition is followed by a clustering of them (none)"
  )
  static let noServices = Option<Bool>.flag(
    "no-services", "no clean, archive or clustering behind the commit, though one be due")
  static let includesArchive = Option<Bool>.flag("all", "with what was archived")
  static let isDryRun = Option<Bool>.flag("dry-run", "only say what would be done")
  static let tombstoneRetention = Option<Int>.number(
    "tombstone-retention", "HOURS", 0...1_000_000, of: "hours",
    "how long deletions are remembered; 0 for not at all (168)")
  static let create = Option<Bool>.flag(
    "create", "create the table where there is none; one that is there is opened")

  // For every command.
  static let everywhere: [any DeclaredOption] = [
    log, endpointURL, region, profile, anonymous, traceRequests,
  ]
  static let log = Option<LogFormat>(
    "log", "notes|text|json",
    "what is told on standard error: what you should know, everything that happens to the table, or that as JSON lines "
      + "(notes)"
  ) { text throws(UsageError) in
    guard let format = LogFormat(rawValue: text) else { throw UsageError("notes, text or json is expected") }
    return format
  }
  static let endpointURL = Option.text(
    "endpoint-url", "URL", "for s3://: the server, in place of the region's (AWS_ENDPOINT_URL_S3)")
  static let region = Option.text("region", "NAME", "for s3://: the bucket's region (AWS_REGION)")
  static let profile = Option.text(
    "profile", "NAME", "for s3://: the profile of the shared files, with its credentials (AWS_PROFILE)")
  static let anonymous = Option<Bool>.flag(
    "anonymous", "for s3://: do not sign requests, for buckets that everybody may read")
  static let traceRequests = Option<Bool>.flag(
    "trace-requests", "for s3://: print each request with its bytes, time and number of the try")

  // Writing.
  static let from = Option.text(
    "from", "FILE", "rows: Parquet with flat columns, or JSON lines, perhaps compressed by gzip or zstd"
  ).many()
  static let changes = Option.text(
    "changes", "SOURCE", "DynamoDB change records: files, or folders that are walked"
  ).many()
  static let dynamoDBTable = Option.text(
    "table", "NAME", "take the records of this DynamoDB table only, where several are on one stream")
  static let shape = Option<ChangeShape>(
    "shape", ChangeShape.allCases.map(\.rawValue).joined(separator: "|"),
    "how the change records are written (each tells it by its members)"
  ) { text throws(UsageError) in
    guard let shape = ChangeShape(rawValue: text) else {
      throw UsageError("\(ChangeShape.allCases.map(\.rawValue).joined(separator: ", ")) are expected")
    }
    return shape
  }
  static let noSync = Option<Bool>.flag(
    "no-sync", "do not force files to the disk before the commit counts: faster, not safe in a power failure")
  static let memory = Option<Int>.bytes(
    "memory", (16 << 20)...(1 << 40),
    "memory for writing: as many files are written at once as fit, with the batch (256M)")
  static let retries = Option<Int>.number(
    "retries", "N", 0...1_000,
    "how often a write begins again that lost against another writer (10)")
  static let lock = Option<CommonLock>(
    "lock", "automatic|hudi-storage",
    "the lock that is taken because of other engines' writers: by itself where the table shows that they use it (automatic)"
  ) { text throws(UsageError) in
    guard let lock = CommonLock(rawValue: text) else {
      throw UsageError("automatic or hudi-storage is expected")
    }
    return lock
  }
  static let transaction = Option<WriteTransaction>(
    "transaction", "NAME:N",
    "write version N of an application once: again, it says what stands, and a smaller version fails"
  ) { text throws(UsageError) in
    guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
      let version = Int64(text[text.index(after: colon)...]), version >= 0
    else { throw UsageError("a name, a colon and a number that is not negative are expected") }
    return WriteTransaction(application: String(text[..<colon]), version: version)
  }
  static let widen = Option<Bool>.flag(
    "widen",
    "where a value does not fit its column, give the column a type that holds it, as schema --widen does")
  static let recognizeTimes = Option<Bool>.flag(
    "recognize-times",
    "new columns become timestamps where all values seen are ISO 8601 with a zone, or count one unit since 1970"
  )
  static let widened = Option<WidenedColumn>(
    "widen", "COLUMN=TYPE",
    "give a column a type that holds more, such as price='decimal(12,2)': int becomes long, double or decimal, long "
      + "decimal, float double, and decimal one of more digits"
  ) { text throws(UsageError) in
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex,
      let type = DataType(name: String(text[text.index(after: equals)...]))
    else { throw UsageError("COLUMN=TYPE is expected, such as quantity=long or price='decimal(12,2)'") }
    return WidenedColumn(name: String(text[..<equals]), type: type)
  }.many()
  static let zone = Option<ZoneConversion>(
    "zone", "ZONE", "the zone of times that carry none, such as Europe/Paris (UTC)"
  ) { text throws(UsageError) in
    guard let zone = ZoneConversion(identifier: text) else {
      throw UsageError("a zone such as UTC or Europe/Paris is expected")
    }
    return zone
  }
  static let onError = Option<ErrorPolicy>(
    "on-error", "fail|dead-letter FILE",
    "what to do with records that cannot be taken: write nothing at all, or append them to a file"
  ) { text throws(UsageError) in
    let parts = text.split(separator: "=", maxSplits: 1)
    if text == "fail" { return .fail }
    guard parts.count == 2, parts[0] == "dead-letter" else {
      throw UsageError("fail or dead-letter FILE is expected")
    }
    let file = String(parts[1])
    // Objects of a store cannot be appended to.
    guard StorageSchemes.scheme(of: file) == nil else {
      throw UsageError("dead letters are appended to a file of this machine, and \(file) is none")
    }
    return .deadLetter(file)
  }.withArgument(after: "dead-letter").standard("fail")
  static let partial = Option<Bool>.flag(
    "partial", "of rows that are stored, change only the columns that the files give")
  static let global = Option<Bool>.flag(
    "global",
    "keys are unique over all partitions: a row that comes with another one than the stored row moves there")
  static let set = Option<[String: Literal?]>(
    "set", "COLUMN=VALUE[,..]", "the new values, such as \"status = 'done', price = 1.50, note = null\""
  ) { text throws(UsageError) in
    do throws(ExpressionError) { return try Literal.assignments(parsing: text) } catch {
      throw UsageError(error.message)
    }
  }
  static let overwrite = Option<OverwriteExtent>(
    "overwrite", "partitions|table",
    "the rows replace what the partitions hold into which they come, or all rows of the table (partitions)"
  ) { text throws(UsageError) in
    guard let extent = OverwriteExtent(rawValue: text) else {
      throw UsageError("partitions or table is expected")
    }
    return extent
  }.bare("partitions")
  static let partition = Option.text(
    "partition", "PATH", "partitions to delete, by their folders, such as day=2024-01-31"
  ).many()
  static let clusteredPartition = Option.text(
    "partition", "PATH", "only these partitions, by their folders, such as day=2024-01-31"
  ).many()
  static let sortBy = Option<[String]>.names(
    "sort-by", "COLUMN[,..]", "write the rows of each partition in the order of these columns")
  static let isZOrder = Option<Bool>.flag(
    "z-order", "write them along a Z-order of the columns, so that rows near in each of them are near")
  static let forceDrop = Option<Bool>.flag(
    "force", "also where a writer is at work, which fails then and whose rows are lost")
  static let force = Option<Bool>.flag("force", "also an attempt whose writer lives, which begins again then")
  static let isCompleted = Option<Bool>.flag("completed", "the latest commit, in place of an attempt")
  static let deletesSavepoint = Option<Bool>.flag("delete", "delete the savepoint of INSTANT")
  static let comment = Option.text("comment", "TEXT", "why, which other engines show")
  static let deleteKey = Option.text("key", "VALUE", "keys of rows to delete").many()
  static let keysFrom = Option.text("keys-from", "FILE", "a file with a key a line")

  // Reading.
  static let select = Option<[String]>.names("select", "COLUMN[,..]", "only these columns, in this order")
  static let condition = Option<Condition>(
    "where", "EXPR", "only rows for which this is true, such as \"price > 100 and exchange = 'OKX'\""
  ) { text throws(UsageError) in
    do throws(ExpressionError) { return try Condition(parsing: text) } catch {
      throw UsageError(error.message)
    }
  }
  static let asOf = instant("as-of", "the table as it was at this instant, inclusive")
  static let since = Option<ChangesStart>(
    "since", "T|POSITION|start",
    "only rows written by commits after this instant or position; start gives all rows, and a position to go on from"
  ) { text throws(UsageError) in
    if text == "start" { return .beginning }
    return try changesStart(text, ", or start")
  }
  static let neededSince = Option<ChangesStart>(
    "since", "T|POSITION",
    "what is kept: the table as of this instant and all behind it, or what came behind this position (the latest commit)"
  ) { text throws(UsageError) in try changesStart(text, "") }
  static let expires = Option<Int>.number(
    "expires", "HOURS", 1...1_000_000, of: "hours",
    "let it go by itself after so many hours (never)")
  static let releases = Option<Bool>.flag("release", "let go what was kept for READER")
  static let until = instant("until", "with --since: only commits up to this instant, inclusive")
  static let cutNanoseconds = Option<Bool>.flag(
    "cut-nanoseconds", "times that are finer than microseconds lose those digits, instead of being an error")
  static let limit = Option<Int>.count("limit", "at most so many rows")
  static let format = formatOption(OutputFormat.allCases)
  static let textFormat = formatOption([.jsonl, .csv, .table])
  static let reportFormat = formatOption([.table, .jsonl, .csv])
  static let changesFormat = Option<OutputFormat>(
    "format", "jsonl|parquet", "how to write: lines of JSON, or a Parquet file"
  ) { text throws(UsageError) in
    guard let format = OutputFormat(rawValue: text), format == .jsonl || format == .parquet else {
      throw UsageError("jsonl or parquet is expected")
    }
    return format
  }.standard("jsonl")
  static let summaryFormat = Option.choice(
    "format", ["table", "json"], "how to write; by default table on a terminal and json elsewhere")
  static let schemaFormat = Option.choice(
    "format", ["table", "jsonl", "csv", "avsc"],
    "how to write; by default table on a terminal and jsonl elsewhere; avsc is the Avro schema")

  /// What creating a table takes, beside its columns.
  static let creation: [any DeclaredOption] = [
    key, partitionBy, orderBy, thenBy, schema, like, type, tableVersion, name, noHiveStyle, noURLEncode,
    bloom,
    targetFileSize, smallFileLimit, noMetaColumns, noKeyIndex, tombstoneRetention, keep, clusterBeyond,
    buckets, bucketField,
  ]
  /// What narrows a read.
  static let filters: [any DeclaredOption] = [condition, asOf, since, until, limit]

  /// Reads where changes begin.
  ///
  /// - Parameter others: What else could stand there, for people.
  private static func changesStart(_ text: String, _ others: String) throws(UsageError) -> ChangesStart {
    if let time = PointInTime(text) { return .time(time) }
    guard let position = TablePosition(text) else {
      throw UsageError(
        "an instant of 14 or 17 digits, ISO 8601 such as 2024-01-31T12:00:00Z, a position such as 8f3a61c20b7d94e5-12"
          + "\(others) is expected")
    }
    return .position(position)
  }

  private static func instant(_ name: String, _ help: String) -> Option<PointInTime> {
    Option(name, "T", help) { text throws(UsageError) in
      guard let time = PointInTime(text) else {
        throw UsageError("an instant of 14 or 17 digits or ISO 8601 such as 2024-01-31T12:00:00Z is expected")
      }
      return time
    }
  }

  private static func formatOption(_ formats: [OutputFormat]) -> Option<OutputFormat> {
    let words = formats.map(\.rawValue)
    return Option(
      "format", words.joined(separator: "|"),
      "how to write rows; by default table on a terminal and jsonl elsewhere"
    ) { text throws(UsageError) in
      guard let format = OutputFormat(rawValue: text), formats.contains(format) else {
        throw UsageError("one of \(words.joined(separator: ", ")) is expected\(Spelling.hint(text, words))")
      }
      return format
    }
  }
}

extension Arguments {
  /// The columns that options for new tables name.
  var namedColumns: [String] {
    (self[Options.key] ?? []) + (self[Options.partitionBy] ?? []) + all(Options.orderBy)
      + (self[Options.thenBy] ?? [])
  }
}
