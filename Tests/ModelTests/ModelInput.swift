import Tarn
import TarnTestSupport
import TarnTimeline

/// A random write: what it does to a table, and what to the model.
struct ModelWrite: Sendable {
  let run: @Sendable (Table) async throws -> CommitReport
  /// Takes it into the model as of a commit, and tells what the table should report.
  let apply: @Sendable (inout Model, Instant) -> CommitReport
}

/// Makes up what is written into a random table.
struct ModelInput {
  let shape: ModelShape
  var random: SeededGenerator
  /// Added to the ordering values of new rows, none of which is null then.
  var leastOrder: Int64?
  private var extraCount = 0
  private var freshKeys = 0

  init(_ shape: ModelShape, _ random: SeededGenerator) {
    self.shape = shape
    self.random = random
  }

  /// Makes up a write that changes rows by key or by a condition, or adds some.
  mutating func write(on model: Model) -> ModelWrite {
    let scope = shape.scope
    switch random.below(13) {
    case 0:
      let batch = deletions()
      return ModelWrite {
        try await $0.delete(try batch.columns())
      } apply: { model, _ in
        model.delete(batch)
      }
    case 1:
      let batch = freshRows()
      return ModelWrite {
        try await $0.insert(try batch.columns())
      } apply: {
        $0.insert(batch, at: $1)
      }
    case 2 where scope == .partition, 3 where scope == .partition:
      let batch = changes(withDeletions: false, model)
      return ModelWrite {
        try await $0.upsert(try batch.columns())
      } apply: {
        $0.apply(batch, at: $1)
      }
    case 4 where scope == .partition:
      let batch = changes(withDeletions: false, model)
      return ModelWrite {
        try await $0.upsert(try batch.columns(), columns: .given)
      } apply: {
        $0.apply(batch, columns: .given, at: $1)
      }
    case 5:
      let value = Int64(random.below(3))
      // Mostly changed, since deletions would leave little.
      let other = random.oneIn(3) ? nil : Optional(value + 1)
      return ModelWrite { table in
        let condition = Condition.column("value") == .number("\(value)")
        guard let other else { return try await table.delete(where: condition) }
        return try await table.update(where: condition, set: ["value": .number("\(other)")])
      } apply: {
        $0.change(value, to: other, at: $1)
      }
    case 6 where scope == .partition:
      let batch = changes(withDeletions: false, model)
      let merge = ModelMerge(turn: random.below(4))
      return ModelWrite {
        try await $0.upsert(try batch.columns(), merging: merge.function)
      } apply: {
        $0.apply(batch, merging: merge, at: $1)
      }
    default:
      let batch = changes(withDeletions: true, model)
      return ModelWrite {
        try await $0.apply(try batch.changes(), scope: scope)
      } apply: {
        $0.apply(batch, at: $1)
      }
    }
  }

  mutating func row(key: String) -> ModelRow {
    let isNull = random.oneIn(6) && leastOrder == nil
    return ModelRow(
      key: key, order: isNull ? nil : (leastOrder ?? 0) + Int64(random.below(6)),
      part: ModelRow.parts[random.below(ModelRow.parts.count)],
      value: random.oneIn(5) ? nil : Int64(random.below(3)))
  }

  private mutating func emptyBatch() -> ModelBatch {
    if extraCount < ModelRow.extraLimit, random.oneIn(6) { extraCount += 1 }
    var batch = ModelBatch()
    batch.extraCount = random.below(extraCount + 1)
    batch.hasValue = !random.oneIn(8)
    return batch
  }

  /// The row without what the batch has no columns for, so that the two agree.
  private mutating func fitted(_ row: ModelRow, to batch: ModelBatch) -> ModelRow {
    var row = row
    if !batch.hasValue { row.value = nil }
    row.extras = [String?](repeating: nil, count: ModelRow.extraLimit)
    for index in 0..<batch.extraCount where !random.oneIn(3) { row.extras[index] = "x\(random.below(2))" }
    return row
  }

  private mutating func changes(withDeletions: Bool, _ model: Model) -> ModelBatch {
    var batch = emptyBatch()
    for _ in 0..<[0, 1, 5, 40][random.below(4)] {
      // Rows that are stored come again, so that duplicates occur.
      if random.oneIn(6), let stored = model.rows.values.min()?.row, batch.hasValue,
        batch.extraCount == ModelRow.extraLimit
      {
        batch.append(stored)
        continue
      }
      let row = row(key: "k\(random.below(shape.keyCount))")
      batch.append(fitted(row, to: batch), isDelete: withDeletions && random.oneIn(3))
    }
    return batch
  }

  private mutating func freshRows() -> ModelBatch {
    var batch = emptyBatch()
    for _ in 0..<random.below(12) {
      freshKeys += 1
      batch.append(fitted(row(key: "fresh\(freshKeys)"), to: batch))
    }
    return batch
  }

  private mutating func deletions() -> ModelBatch {
    var batch = ModelBatch()
    let isNamed = random.oneIn(2)
    for _ in 0..<random.below(8) {
      let isFresh = freshKeys > 0 && random.oneIn(3)
      var row = row(key: isFresh ? "fresh\(1 + random.below(freshKeys))" : "k\(random.below(shape.keyCount))")
      // A partition is named for all keys or for none.
      row.part = isNamed ? row.part ?? "" : nil
      batch.append(row, isDelete: true)
    }
    return batch
  }
}
