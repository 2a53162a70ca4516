internal import TarnBytes

/// Attribute values under way to their JSON, which all encoders and containers of them share.
///
/// Values are written one behind the other as they come. A container that is asked for ahead of its contents, as
/// `nestedContainer` is, has a target of its own, whose text is put into its place at the end.
final class EncodingTarget {
  /// A value that is encoded, and has not come to its end.
  private struct Frame {
    enum Content { case nothing, map, list, value }

    var content = Content.nothing
    /// Members so far.
    var count = 0
    /// Maps and lists around its members.
    var levels: Int
    /// Where its first member comes.
    var mark: ItemWriter.Mark
  }

  private var writer = ItemWriter()
  private var frames: [Frame] = []
  private var nested: [(offset: Int, target: EncodingTarget)] = []
  /// What went wrong in a call that cannot throw.
  private var failure: DynamoDBJSONError?
  /// Maps and lists around all of it.
  private let levels: Int
  /// The way to all of it.
  private let outerPath: [any CodingKey]
  let settings: DynamoDBEncoder

  init(_ settings: DynamoDBEncoder, levels: Int, path: [any CodingKey]) {
    self.settings = settings
    self.levels = levels
    outerPath = path
  }

  // MARK: Any value

  func append<T: Encodable>(_ value: T) throws {
    // Arrays and the like give their elements here, so that what is common comes first.
    let type = T.self
    if type == String.self, let text = value as? String { return append(text) }
    if type == Int.self, let number = value as? Int { return try append(integer: number) }
    if type == Double.self, let number = value as? Double { return try append(floating: number) }
    if type == DynamoDBNumber.self, let number = value as? DynamoDBNumber { return append(number) }
    if type == [UInt8].self, let bytes = value as? [UInt8] {
      return writer.append(binary: bytes.span.bytes)
    }
    if type == AttributeValue.self, let value = value as? AttributeValue { return try append(value) }
    if type == Item.self, let item = value as? Item { return try append(.map(item)) }
    if let convertible = value as? any AttributeValueConvertible {
      return try append(converted(convertible))
    }
    if let set = value as? any SetEncoding { return try set.encodeMembers(to: self) }
    try appendEncoded(value)
  }

  private func converted(_ value: any AttributeValueConvertible) throws -> AttributeValue {
    do { return try value.attributeValue(userInfo: settings.userInfo) } catch {
      switch error {
      case let error as DynamoDBJSONError: throw self.error(error)
      case let error as AttributeValueMismatch:
        // Not the value itself: Foundation traps where it describes a date that is none.
        throw self.error(.misfit("a \(type(of: value))", AttributeValue.self, "\(error)"))
      default: throw error
      }
    }
  }

  /// Lets a value encode itself.
  private func appendEncoded(_ value: some Encodable) throws {
    let frame = beginFrame()
    do {
      try value.encode(to: AttributeEncoder(target: self, frame: frame))
      try endFrame(frame)
    } catch {
      frames.removeLast(frames.count - frame)
      throw error
    }
  }

  func append(_ text: String) { text.withBytes { writer.append(string: $0) } }
  func append(_ number: DynamoDBNumber) { number.text.withBytes { writer.append(number: $0) } }
  func append(_ value: Bool) { writer.append(boolean: value) }
  func appendNull() { writer.appendNull() }

  func append<T: FixedWidthInteger>(integer value: T) throws {
    guard T.bitWidth <= 64 || value.magnitude < T.Magnitude(ExactDecimal.power(38)) else {
      throw error(.misfit("\(value)", AttributeValue.self, "it has more than 38 digits"))
    }
    var digits: [UInt8] = []
    digits.append(decimal: value)
    writer.append(number: digits.span.bytes)
  }

  func append<T: BinaryFloatingPoint & LosslessStringConvertible>(floating value: T) throws {
    guard value.isFinite else {
      throw error(.misfit("\(value)", AttributeValue.self, "DynamoDB has no such number"))
    }
    do { append(try DynamoDBNumber(printed: value.description)) } catch { throw self.error(error) }
  }

  /// Writes a value as it is.
  func append(_ value: AttributeValue) throws {
    do { try value.checkIsStorable(levels: currentLevels) } catch { throw self.error(error) }
    value.append(to: &writer.out)
  }

  // MARK: Sets

  /// Writes the members of a set, which must all be strings, all numbers, or all bytes.
  func append<Members: Collection>(set members: Members) throws where Members.Element: Encodable {
    guard !members.isEmpty else {
      guard settings.emptySets == .null else {
        throw error(
          .badSet("a set without members, which DynamoDB has not; make it nil, or let emptySets be .null"))
      }
      return appendNull()
    }
    let start = writer.out.count
    var texts: [[UInt8]] = []
    for member in members {
      try append(member)
      texts.append(Array(writer.out[start...]))
      writer.out.removeLast(writer.out.count - start)
    }
    // Each is {"S":"…"}, {"N":"…"} or {"B":"…"}.
    let tags: Set<[UInt8]> = Set(texts.map { Array($0.prefix(6)) })
    guard let tag = tags.first, tags.count == 1, Self.memberTags.contains(tag) else {
      throw error(.badSet("a set of what are not all strings, all numbers or all bytes; let it be an array"))
    }
    writer.out.append(text: "{\"")
    writer.out.append(tag[2])
    writer.out.append(text: "S\":[")
    for (number, text) in texts.sorted(by: { $0.lexicographicallyPrecedes($1) }).enumerated() {
      if number > 0 { writer.out.append(0x2c) }
      writer.out.append(contentsOf: text[5..<text.count - 1])
    }
    writer.out.append(text: "]}")
  }

  private static let memberTags: Set = [
    Array("{\"S\":\"".utf8), Array("{\"N\":\"".utf8), Array("{\"B\":\"".utf8),
  ]

  // MARK: Frames

  private var currentLevels: Int { frames.last?.levels ?? levels }

  private func beginFrame() -> Int {
    frames.append(Frame(levels: currentLevels, mark: writer.mark))
    return frames.count - 1
  }

  private func endFrame(_ number: Int) throws {
    guard number == frames.count - 1, failure == nil else { throw failure ?? error(.interleaved) }
    switch frames[number].content {
    // What encodes nothing has no attributes.
    case .nothing: writer.out.append(text: "{\"M\":{}}")
    case .value: break
    case .list: writer.out.append(text: "]}")
    case .map:
      do { try writer.endMap(from: frames[number].mark) } catch {
        // The map as a whole is wrong, and not its last attribute.
        frames[number].count = 0
        throw self.error(error)
      }
      writer.out.append(text: "}}")
    }
    frames.removeLast()
  }

  /// Makes a value a map or list.
  func open(_ number: Int, isMap: Bool) {
    guard number == frames.count - 1 else { return fail(error(.interleaved)) }
    let content: Frame.Content = isMap ? .map : .list
    guard frames[number].content != content else { return }
    guard frames[number].content == .nothing else { return fail(error(.twice)) }
    frames[number].content = content
    frames[number].levels += 1
    if frames[number].levels > AttributeValue.storedDepthLimit { fail(error(.tooDeepToStore)) }
    writer.out.append(text: isMap ? "{\"M\":{" : "{\"L\":[")
    frames[number].mark = writer.mark
  }

  private func fail(_ error: DynamoDBJSONError) { failure = failure ?? error }

  /// Writes the one value that a value is encoded as.
  func appendOnly(in number: Int, _ append: () throws -> Void) throws {
    guard number == frames.count - 1 else { throw error(.interleaved) }
    guard frames[number].content == .nothing else { throw error(.twice) }
    try attempt(append)
    frames[number].content = .value
  }

  /// Writes an attribute of a map.
  func appendAttribute(_ name: String, in number: Int, _ append: () throws -> Void) throws {
    try appendMember(in: number) {
      let isFirst = frames[number].count == 0
      name.withBytes { writer.append(name: $0, isFirst: isFirst) }
      frames[number].count += 1
      try append()
    }
  }

  /// Writes a member of a list.
  func appendElement(in number: Int, _ append: () throws -> Void) throws {
    try appendMember(in: number) {
      if frames[number].count > 0 { writer.out.append(0x2c) }
      frames[number].count += 1
      try append()
    }
  }

  private func appendMember(in number: Int, _ append: () throws -> Void) throws {
    guard failure == nil, number == frames.count - 1 else { throw failure ?? error(.interleaved) }
    let count = frames[number].count
    do { try attempt(append) } catch {
      frames[number].count = count
      throw error
    }
  }

  /// Writes something, and takes it back where it fails: a type may go on with something else.
  private func attempt(_ append: () throws -> Void) throws {
    let mark = writer.mark
    do { try append() } catch {
      writer.goBack(to: mark)
      nested.removeAll { $0.offset >= mark.bytes }
      throw error
    }
  }

  func count(_ number: Int) -> Int { number < frames.count ? frames[number].count : 0 }

  /// A target for a member that is encoded later.
  ///
  /// - Parameter begin: Begins the member, and calls back where its value comes; where it throws, nothing of the member
  ///   is written, and the whole encoding fails.
  func later(_ begin: (() throws -> Void) throws -> Void) -> EncodingTarget {
    var target: EncodingTarget?
    do {
      try begin {
        let made = EncodingTarget(settings, levels: currentLevels, path: codingPath)
        nested.append((writer.out.count, made))
        target = made
      }
    } catch {
      fail(error as? DynamoDBJSONError ?? self.error(.interleaved))
    }
    let found = target ?? EncodingTarget(settings, levels: levels, path: outerPath)
    _ = found.beginFrame()
    return found
  }

  /// All that was written; ends what was asked for by ``later()``.
  func finish() throws -> [UInt8] {
    if !frames.isEmpty { try endFrame(0) }
    guard failure == nil else { throw failure ?? error(.interleaved) }
    guard !nested.isEmpty else { return writer.out }
    var whole: [UInt8] = []
    var taken = 0
    for (offset, target) in nested {
      whole += writer.out[taken..<offset]
      whole += try target.finish()
      taken = offset
    }
    return whole + writer.out[taken...]
  }

  // MARK: Errors

  /// The way to the value that is written now.
  var codingPath: [any CodingKey] {
    var path = outerPath
    for (number, frame) in frames.enumerated() where frame.count > 0 {
      if frame.content == .list {
        path.append(AttributeKey(frame.count - 1))
      } else if frame.content == .map {
        let end = number + 1 < frames.count ? frames[number + 1].mark : writer.mark
        if let name = writer.name(before: end) { path.append(AttributeKey(stringValue: name)) }
      }
    }
    return path
  }

  private func error(_ mistake: Mistake) -> DynamoDBJSONError {
    DynamoDBJSONError(mistake).under(codingPath)
  }

  private func error(_ error: DynamoDBJSONError) -> DynamoDBJSONError { error.under(codingPath) }
}

/// A set, whose members are written as one.
protocol SetEncoding {
  func encodeMembers(to target: EncodingTarget) throws
}

extension Set: SetEncoding where Element: Encodable {
  func encodeMembers(to target: EncodingTarget) throws { try target.append(set: self) }
}
