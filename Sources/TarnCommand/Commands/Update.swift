import Tarn

/// `tarn update`.
enum UpdateCommand {
  static let command = Command(
    name: "update", summary: "Sets columns in the rows for which a condition is true.",
    options: [
      Options.set.required(), Options.condition.required(), Options.cutNanoseconds, Options.memory,
      Options.retries, Options.noServices, Options.lock, Options.transaction,
      Options.noSync,
    ],
    notes: [
      "Values are written as in conditions: texts, dates and times in single quotes, numbers, true, false and null. "
        + "Key and partition columns cannot be set. To change rows by their keys, see upsert --partial."
    ]
  ) { arguments in
    let access = try TableAccess(arguments)
    let table = try await access.open()
    guard let values = arguments[Options.set], let condition = arguments[Options.condition] else { return }
    let report = try await access.located { try await table.update(where: condition, set: values) }
    StandardError.write(line: report.line("updated in", table))
  }
}
