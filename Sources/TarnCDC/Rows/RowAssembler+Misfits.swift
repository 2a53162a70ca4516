import TarnBytes
import TarnColumns

extension RowAssembler {
  /// Why a value rejects its row.
  func misfit(
    _ column: Int, _ value: ScannedValue, _ scanner: borrowing JSONScanner, _ misfit: MisfitError
  ) -> RejectionReason {
    let field = schema.fields[column]
    let shown = Self.shown(value, scanner)
    if misfit.isBroken { return .badValue(column: field.name, value: shown, why: misfit.why) }
    return .misfit(column: field.name, type: field.type.name, value: shown, why: misfit.why)
  }

  static func shown(_ value: ScannedValue, _ scanner: borrowing JSONScanner) -> String {
    switch value.kind {
    case .yes: return "true"
    case .no: return "false"
    case .null: return "null"
    default:
      let text = scanner.text(value.value, isEscaped: value.valueIsEscaped)
      let short = text.count > 60 ? "\(text.prefix(57))..." : text
      return value.kind.isString && value.kind != .number ? "\"\(short)\"" : short
    }
  }
}
