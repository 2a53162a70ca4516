import TarnBytes

/// Writes values as bytes, by a schema.
package struct AvroEncoder: Sendable {
  /// The layout of the values.
  package let layout: AvroLayout

  /// Makes an encoder.
  package init(_ layout: AvroLayout) { self.layout = layout }

  /// Appends a value.
  ///
  /// Fields that a record does not give get the schema's defaults.
  ///
  /// - Throws: ``AvroError`` with code `mismatch` where the schema has no place for it; some of it may be appended.
  package func append(_ value: AvroValue, to out: inout [UInt8]) throws(AvroError) {
    try append(value, as: layout.root, to: &out)
  }

  private func append(_ value: AvroValue, as type: AvroType, to out: inout [UInt8]) throws(AvroError) {
    switch (type, value) {
    case (.null, .null): break
    case (.boolean, .boolean(let value)): out.append(value ? 1 : 0)
    case (.int, .int(let value)): out.appendZigZag(Int64(value))
    case (.long, .long(let value)): out.appendZigZag(value)
    case (.float, .float(let value)): out.appendLittleEndian(value.bitPattern)
    case (.double, .double(let value)): out.appendLittleEndian(value.bitPattern)
    case (.bytes, .bytes(let bytes)):
      out.appendZigZag(Int64(bytes.count))
      out += bytes
    case (.string, .string(let text)): append(text, to: &out)
    case (.fixed(let fixed), .fixed(let bytes)) where bytes.count == fixed.size: out += bytes
    case (.enumeration(let enumeration), .enumeration(let symbol)):
      guard let number = enumeration.symbols.firstIndex(of: symbol) else {
        throw AvroError(.mismatch, field: "", "\(enumeration.fullName) has no symbol \(symbol)")
      }
      out.appendZigZag(Int64(number))
    case (.array(let element), .array(let elements)):
      if !elements.isEmpty { out.appendZigZag(Int64(elements.count)) }
      for value in elements { try append(value, as: element, to: &out) }
      out.append(0)
    case (.map(let inner), .map(let entries)):
      if !entries.isEmpty { out.appendZigZag(Int64(entries.count)) }
      for entry in entries {
        append(entry.key, to: &out)
        do { try append(entry.value, as: inner, to: &out) } catch { throw error.within(entry.key) }
      }
      out.append(0)
    case (.record(let record), .record(let value)): try append(value, as: record, to: &out)
    case (.union(let branches), _):
      for (number, branch) in branches.enumerated() where try takes(branch, value) {
        out.appendZigZag(Int64(number))
        return try append(value, as: branch, to: &out)
      }
      throw misfit(value, type)
    case (.named, _): try append(value, as: try layout.resolved(type), to: &out)
    default: throw misfit(value, type)
    }
  }

  private func append(
    _ value: AvroRecord, as record: AvroType.Record, to out: inout [UInt8]
  ) throws(AvroError) {
    if let unknown = value.fields.first(where: { given in !record.fields.contains { $0.name == given.key } })
    {
      throw AvroError(.mismatch, field: unknown.key, "\(record.fullName) has no such field")
    }
    for field in record.fields {
      do throws(AvroError) {
        if let given = value.fields.first(where: { $0.key == field.name }) {
          try append(given.value, as: field.type, to: &out)
        } else {
          guard let standard = field.standard else {
            throw AvroError(.mismatch, field: "", "it is missing, and has no default")
          }
          try append(try self.value(standard, of: field.type), as: field.type, to: &out)
        }
      } catch { throw error.within(field.name) }
    }
  }

  private func append(_ text: String, to out: inout [UInt8]) {
    out.appendZigZag(Int64(text.utf8.count))
    out.append(text: text)
  }

  /// Whether a value is one of a union's branch.
  private func takes(_ branch: AvroType, _ value: AvroValue) throws(AvroError) -> Bool {
    switch (try layout.resolved(branch), value) {
    case (.null, .null), (.boolean, .boolean), (.int, .int), (.long, .long), (.float, .float),
      (.double, .double), (.bytes, .bytes), (.string, .string), (.array, .array), (.map, .map):
      true
    case (.fixed(let fixed), .fixed(let bytes)): fixed.size == bytes.count
    case (.enumeration(let enumeration), .enumeration(let symbol)): enumeration.symbols.contains(symbol)
    case (.record(let record), .record(let value)): value.name.isEmpty || value.name == record.fullName
    default: false
    }
  }

  /// The value that a schema's JSON gives as default; of a union's it is the first branch's.
  private func value(_ json: JSONValue, of type: AvroType) throws(AvroError) -> AvroValue {
    switch (type, json) {
    case (.null, .null): return .null
    case (.boolean, .boolean(let value)): return .boolean(value)
    case (.string, .string(let text)): return .string(text)
    case (.int, .number(let text)): if let value = Int32(text) { return .int(value) }
    case (.long, .number(let text)): if let value = Int64(text) { return .long(value) }
    case (.float, .number(let text)): if let value = Float(text) { return .float(value) }
    case (.double, .number(let text)): if let value = Double(text) { return .double(value) }
    case (.enumeration, .string(let text)): return .enumeration(text)
    // A default's bytes are the code points of its text.
    case (.bytes, .string(let text)):
      return .bytes(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    case (.fixed, .string(let text)):
      return .fixed(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    case (.array(let element), .array(let elements)):
      return .array(try elements.map { json throws(AvroError) in try value(json, of: element) })
    case (.map(let inner), .object(let members)):
      return .map(
        try members.map { member throws(AvroError) in
          AvroValue.Entry(member.key, try value(member.value, of: inner))
        })
    case (.record(let record), .object(let members)):
      var fields: [AvroValue.Entry] = []
      for field in record.fields {
        guard let member = members.last(where: { $0.key == field.name }) else { continue }
        fields.append(.init(field.name, try value(member.value, of: field.type)))
      }
      return .record(AvroRecord(record.fullName, fields))
    case (.union(let branches), _): if let first = branches.first { return try value(json, of: first) }
    case (.named, _): return try value(json, of: try layout.resolved(type))
    default: break
    }
    throw AvroError(.malformed, field: "", "the default \(json.text()) is none of type \(type.name)")
  }

  private func misfit(_ value: AvroValue, _ type: AvroType) -> AvroError {
    AvroError(.mismatch, field: "", "\(value.kind) has no place in type \(type.name)")
  }
}
