import Tarn
import TarnColumns

/// What a merge function makes of a stored row and an incoming one: one of the two, or some columns of each.
///
/// Which of these depends on the rows alone, so that the function and the model agree about every pair.
struct ModelMerge: Sendable {
  /// Moves the choice, so that one pair is not always treated alike.
  let turn: Int

  func row(_ stored: ModelRow, _ incoming: ModelRow) -> ModelRow {
    let sum = stored.key.utf8.reduce(turn) { $0 + Int($1) } + Int(incoming.value ?? 1)
    switch sum % 4 {
    case 0: return stored
    case 1: return incoming
    default:
      // The sum of two, an older ordering value now and then, and of the other columns what is there.
      var row = incoming
      row.order = [stored.order, incoming.order][sum % 2]
      row.value = stored.value.map { ($0 + (incoming.value ?? 0)) % 3 }
      row.extras = zip(stored.extras, incoming.extras).map { $0 ?? $1 }
      return row
    }
  }

  /// The same for batches, as the table calls it.
  var function: MergeFunction {
    { stored, incoming in
      var merged = ModelBatch()
      merged.extraCount = stored.schema.names.count { $0.hasPrefix("extra") }
      for (old, new) in zip(ModelRow.rows(of: stored), ModelRow.rows(of: incoming)) {
        merged.append(row(old, new))
      }
      return try merged.columns()
    }
  }
}
