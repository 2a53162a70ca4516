import Tarn
import TarnTestSupport
import TarnTimeline

/// One step of a history with services: what it does to a table, and what that means for the model.
struct ModelStep: Sendable {
  /// What a step makes of the table's rows.
  enum Effect: Sendable {
    /// They are changed in one commit.
    case write(ModelWrite)
    /// They stay as they are.
    case none
    /// They are those as of a commit; nil for none at all.
    case back(to: Instant?)
  }

  /// What a step is called in counts and messages.
  let name: String
  let effect: Effect
  let run: @Sendable (Table) async throws -> CommitReport?

  init(
    _ name: String, _ effect: Effect = .none, _ run: @escaping @Sendable (Table) async throws -> CommitReport?
  ) {
    self.name = name
    self.effect = effect
    self.run = run
  }

  /// A step that is one write.
  init(_ name: String, _ write: ModelWrite) {
    self.init(name, .write(write), write.run)
  }
}

/// What services are made up.
extension ModelInput {
  /// Makes up what replaces partitions, or the table.
  mutating func replacement(of model: Model) -> ModelStep {
    let paths = Set(model.rows.values.map(\.row.path)).sorted()
    switch random.below(6) {
    case 0:
      return ModelStep(
        "truncate",
        ModelWrite {
          try await $0.truncate()
        } apply: {
          $0.replace(nil, by: ModelBatch(), at: $1)
        })
    case 1 where !paths.isEmpty, 2 where !paths.isEmpty:
      let gone = paths.filter { _ in random.oneIn(2) }
      return ModelStep(
        "delete partitions",
        ModelWrite {
          try await $0.deletePartitions(gone)
        } apply: {
          $0.replace(Set(gone), by: ModelBatch(), at: $1)
        })
    case 3:
      let batch = distinctRows()
      return ModelStep(
        "overwrite table",
        ModelWrite {
          try await $0.overwrite(try batch.columns(), .table)
        } apply: {
          $0.replace(nil, by: batch, at: $1)
        })
    default:
      var batch = distinctRows()
      // A key is in one place, where that is asked for: what is stored elsewhere does not come.
      while shape.scope == .table {
        let replaced = Set(batch.rows.map(\.path))
        let stored = Set(model.rows.values.filter { !replaced.contains($0.row.path) }.map(\.row.key))
        let fitting = batch.rows.filter { !stored.contains($0.key) }
        guard fitting.count < batch.rows.count else { break }
        batch.rows = fitting
      }
      batch.isDelete = batch.rows.map { _ in false }
      let (rows, replaced) = (batch, Set(batch.rows.map(\.path)))
      return ModelStep(
        "overwrite partitions",
        ModelWrite {
          try await $0.overwrite(try rows.columns())
        } apply: {
          $0.replace(replaced, by: rows, at: $1)
        })
    }
  }

  /// Makes up a clustering, a clean, an archive, or a savepoint: what leaves the rows as they are.
  mutating func service(on model: Model) -> ModelStep {
    switch random.below(6) {
    case 0, 1:
      let paths = Set(model.rows.values.map(\.row.path)).sorted()
      let chosen = random.oneIn(2) ? nil : paths.filter { _ in random.oneIn(2) }
      let columns = ["value", "key", "order", "part"].filter { _ in random.oneIn(2) }
      switch random.below(3) {
      case 0: return ModelStep("cluster") { try await $0.cluster(.stored, partitions: chosen) }
      case 1:
        return ModelStep("cluster sorted") { try await $0.cluster(.columns(columns), partitions: chosen) }
      default:
        return ModelStep("cluster z-order") { try await $0.cluster(.zOrder(columns), partitions: chosen) }
      }
    case 2, 3:
      let retention: Retention? =
        [nil, .commits(1 + random.below(5)), .versions(1 + random.below(3)), .hours(1 + random.below(3))][
          random.below(4)]
      return ModelStep(retention.map { "clean \($0)" } ?? "clean") {
        let report = try await $0.clean(keeping: retention)
        return report.instant == nil ? nil : CommitReport()
      }
    case 4:
      return ModelStep("archive") { try await $0.archive().actions.isEmpty ? nil : CommitReport() }
    default:
      return ModelStep("savepoint") {
        try await $0.savepoint()
        return CommitReport()
      }
    }
  }

  /// Makes up rows of which no two have a key in common.
  private mutating func distinctRows() -> ModelBatch {
    var taken: Set<Model.Slot> = []
    var batch = ModelBatch()
    for _ in 0..<random.below(15) {
      var row = row(key: "k\(random.below(shape.keyCount))")
      row.extras = [String?](repeating: nil, count: ModelRow.extraLimit)
      let slot = Model.Slot(key: row.key, path: shape.scope == .partition ? row.path : nil)
      if taken.insert(slot).inserted { batch.append(row) }
    }
    return batch
  }
}
