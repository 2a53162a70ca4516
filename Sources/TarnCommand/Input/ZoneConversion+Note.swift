extension ZoneConversion {
  /// Says that columns had times without zone, if any had.
  static func sayUTC(_ columns: [String]) {
    guard !columns.isEmpty else { return }
    StandardError.note(
      "\(columns.joined(separator: ", ")): timestamps without zone are taken as UTC (--zone for another)")
  }
}
