import Foundation
import TarnColumns
import TarnParquet
import TarnStorage

/// Good Parquet files in which an input replaces a part.
struct FuzzTarget: FuzzedInputs {
  /// Which part of a file an input is, behind a byte that says of which file.
  enum Kind: String {
    /// The footer, without its length and the magic number.
    case footer
    /// The pages of all columns.
    case chunk
  }

  /// A file before and behind the part.
  struct Template: Sendable {
    var before: [UInt8]
    var part: [UInt8]
    var behind: [UInt8]

    /// The file as it was.
    func whole(_ kind: Kind) -> [UInt8] {
      before + (kind == .footer ? FuzzTarget.ended(part) : part) + behind
    }
  }

  var kind = Kind.footer
  var templates: [Template]

  init(templates: [Template]) { self.templates = templates }

  init(_ kind: Kind) async throws {
    self.kind = kind
    templates = []
    for file in try await SeedFiles.all() {
      let length = file.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      let footer = file.count - 8 - length
      switch kind {
      case .footer:
        templates.append(
          Template(before: Array(file[..<footer]), part: Array(file[footer..<file.count - 8]), behind: []))
      case .chunk:
        // Other writers may leave gaps, or put something between the columns.
        let end = min(4 + (try await SeedFiles.open(file)).encodedBytes, footer)
        templates.append(
          Template(before: Array(file[..<4]), part: Array(file[4..<end]), behind: Array(file[end...])))
      }
    }
  }

  /// Writes the parts as they are as inputs to begin with.
  func writeSeeds(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (index, template) in templates.enumerated() {
      let seed = [UInt8(index & 0xff)] + template.part
      try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(index)"))
    }
  }

  /// Reads the file that an input makes, in every way; errors are expected, anything worse is the finding.
  func run(_ input: [UInt8]) async {
    guard let first = input.first, !templates.isEmpty else { return }
    let template = templates[Int(first) % templates.count]
    var part = Array(input.dropFirst())
    switch kind {
    case .footer:
      part = Self.ended(part)
    case .chunk:
      // The footer says how long the pages are.
      let missing = template.part.count - part.count
      part = Array(part.prefix(template.part.count)) + [UInt8](repeating: 0, count: max(missing, 0))
    }
    let storage = InMemoryStorage()
    guard (try? await storage.put(template.before + part + template.behind, at: "file", if: .always)) != nil,
      let file = try? await ParquetFile.open(storage, path: "file")
    else { return }
    await read(file)
    #if PLANTED_FAULT
      await PlantedFault.check(file, template, kind)
    #endif
  }

  /// A footer with its length and the magic number.
  static func ended(_ footer: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(footer.count).littleEndian) { footer + $0 } + Array("PAR1".utf8)
  }

  private func read(_ file: ParquetFile) async {
    for group in 0..<min(file.rowGroupCount, 4) {
      for column in file.schema.fields.indices.prefix(32) {
        _ = file.statistics(group: group, column: column)
        _ = try? await file.pageStatistics(group: group, column: column)
        _ = try? await file.readRows([0, 9], inGroup: group, columns: [column])
        _ = try? await file.readRowGroup(group, columns: [column])
        do {
          for try await _ in file.batches(columns: [column], rowsPerBatch: 10, groups: [group]) {}
        } catch {}
      }
    }
    _ = try? await ParquetCheck.run(file)
  }
}
