import CryptoStream
import Foundation
import Tarn
import TarnColumns

/// Lines for people.
enum Printing {
  static func pad(_ text: some CustomStringConvertible, _ width: Int) -> String {
    let text = text.description
    return String(repeating: " ", count: max(width - text.count, 0)) + text
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
  }

  static func seconds(_ duration: Duration) -> String {
    let (seconds, rest) = duration.components
    let milliseconds = seconds * 1_000 + rest / 1_000_000_000_000_000
    return "\(milliseconds) ms"
  }

  static let header =
    "batch  clock              changes  inserted  updated  deleted  skipped (stale same older)  not stored     bytes     time"

  static func line(_ number: Int, _ batch: CryptoStream.Batch, _ report: CommitReport, _ time: Duration)
    -> String
  {
    let skipped = report.stale + report.duplicates + report.superseded
    return pad(number, 5) + "  " + clock(batch.clock) + pad(batch.deliveries.count, 10)
      + pad(report.inserted, 10) + pad(report.updated, 9) + pad(report.deleted, 9) + pad(skipped, 9)
      + padded(" (\(report.stale) \(report.duplicates) \(report.superseded))", 19)
      + pad(report.notFound, 13) + pad(report.bytesWritten, 10) + pad(seconds(time), 9)
  }

  static func clock(_ microseconds: Int64) -> String {
    var text: [UInt8] = []
    CivilTime.append(microseconds: microseconds, isInstant: false, to: &text)
    return String(decoding: text.prefix(16), as: UTF8.self)
  }

  /// An amount of eight places in whole dollars, with commas.
  static func dollars(_ amount: Int128) -> String {
    var digits = String(Decimals.divide(amount, by: 100_000_000))
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }
}

/// Trades by exchange and risk.
struct Summary {
  private struct Cell: Hashable {
    var exchange: String
    var risk: String
  }

  private var trades: [Cell: (count: Int, value: Int128)] = [:]

  /// Reads the few columns that it needs.
  ///
  /// - Throws: `TableError`.
  init(of table: Table) async throws {
    for try await batch in try await table.snapshot().select("exchange", "risk_flag", "price", "quantity") {
      guard let exchange = batch.columns[0].strings, let risk = batch.columns[1].strings,
        case .decimal(let price) = batch.columns[2].values,
        case .decimal(let quantity) = batch.columns[3].values
      else { continue }
      for row in 0..<batch.count {
        let cell = Cell(exchange: exchange.string(row), risk: risk.string(row))
        let known = trades[cell] ?? (0, 0)
        trades[cell] = (known.count + 1, known.value + price[row] * quantity[row])
      }
    }
  }

  /// A line an exchange.
  var lines: [String] {
    let risks = ["LOW_RISK", "MEDIUM_RISK", "HIGH_RISK"]
    let columns = risks.map { Printing.pad($0, 13) }.joined()
    var lines = [Printing.padded("exchange", 10) + columns + Printing.pad("dollars traded", 18)]
    for exchange in Set(trades.keys.map(\.exchange)).sorted() {
      let cells = risks.map { trades[Cell(exchange: exchange, risk: $0)] ?? (0, 0) }
      let counts = cells.map { Printing.pad($0.count, 13) }.joined()
      let total = Printing.dollars(cells.reduce(0) { $0 + $1.value })
      lines.append(Printing.padded(exchange, 10) + counts + Printing.pad(total, 18))
    }
    return lines
  }
}

/// How others read the table.
enum Commands {
  static func lines(table: String) -> [String] {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let package = root.path
    return [
      "With tarn:",
      "  swift run -c release --package-path \(package) tarn read \(table) --where \"risk_flag = 'HIGH_RISK'\" --limit 5",
      "  swift run -c release --package-path \(package) tarn timeline \(table)",
      "With hudi-rs (pip install hudi==0.5.0 pyarrow):",
      "  python3 -c \"import pyarrow, hudi; print(pyarrow.Table.from_batches("
        + "hudi.HudiTableBuilder.from_base_uri('\(table)').build().read(hudi.HudiReadOptions())))\"",
      "With Spark (spark-shell of Spark 3.5):",
      "  spark-shell --packages org.apache.hudi:hudi-spark3.5-bundle_2.12:0.15.0 \\",
      "    --conf spark.serializer=org.apache.spark.serializer.KryoSerializer \\",
      "    --conf spark.sql.extensions=org.apache.spark.sql.hudi.HoodieSparkSessionExtension",
      "  spark.read.format(\"hudi\").load(\"\(table)\").groupBy(\"exchange\", \"risk_flag\").count().show()",
    ]
  }
}
