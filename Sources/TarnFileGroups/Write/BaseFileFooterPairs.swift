import TarnColumns
import TarnIndex
import TarnParquet

extension CommitFiles {
  /// What the footer of a base file says besides its columns.
  ///
  /// Where there are dates or times, also that they are those of Spark 3, which counts days before 1582 as Tarn does:
  /// Spark otherwise fails on dates before 1582-10-15 and times before 1900. Source: Spark's `DataSourceUtils`
  /// (`datetimeRebaseSpec`), tried with Spark 3.5.
  ///
  /// Without meta columns there is no Bloom filter, as in Hudi's own files; their key range is Tarn's.
  func footerPairs(
    range: (least: String, greatest: String)?, filter: (text: String, kind: BloomFilter.Kind)?
  ) -> [ParquetKeyValue] {
    var pairs = [
      ParquetKeyValue("parquet.avro.schema", avroSchema), ParquetKeyValue("writer.model.name", "avro"),
    ]
    if format.schema.fields.contains(where: \.type.isDateOrTimestamp) {
      pairs.append(ParquetKeyValue(SparkCalendar.versionKey, SparkCalendar.version))
    }
    if let range {
      pairs.append(ParquetKeyValue(KeyRange.leastKey, range.least))
      pairs.append(ParquetKeyValue(KeyRange.greatestKey, range.greatest))
    }
    if let filter {
      pairs.append(ParquetKeyValue(BloomFilter.kindFooterKey, filter.kind.rawValue))
      pairs.append(ParquetKeyValue(BloomFilter.footerKey, filter.text))
    }
    return pairs
  }

  /// What the footer says of a key index.
  static func footerPairs(_ reference: KeyIndexReference, tombstones: Int) -> [ParquetKeyValue] {
    let index = ParquetKeyValue(KeyIndexReference.footerKey, reference.footerText)
    guard tombstones > 0 else { return [index] }
    return [index, ParquetKeyValue(KeyIndexReference.tombstonesFooterKey, "\(tombstones)")]
  }
}
