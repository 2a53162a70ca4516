import TarnParquet

func use(_ error: ParquetError) -> Bool {
  switch error.code {
  case .malformed, .unsupported: true
  default: false
  }
}

let compression = ParquetWriteOptions.Compression.zstd(level: 1)
