/// The four bytes at both ends of a file, read as a little-endian number.
enum ParquetMagic {
  /// `PAR1`.
  static let plain: UInt32 = 0x3152_4150
  /// Its length in bytes.
  static let byteCount = 4
  /// `PARE`: the footer is encrypted.
  static let encrypted: UInt32 = 0x4552_4150
}
