internal import CCrypto

/// libcrypto, loaded when the first request is signed.
enum CryptoLibrary {
  /// The names under which systems have it.
  private static let names: [String] = {
    #if canImport(Darwin)
      // Without a version, macOS ends the process.
      ["libcrypto.3.dylib", "/opt/homebrew/lib/libcrypto.3.dylib", "/usr/local/lib/libcrypto.3.dylib"]
    #else
      ["libcrypto.so.3", "libcrypto.so.1.1"]
    #endif
  }()

  /// Its functions, ready to be used, for the rest of the process; nil where it is not there.
  static let functions: CryptoFunctions? = {
    for name in names {
      var functions = CryptoFunctions()
      if cryptoLoad(&functions, name) { return functions }
    }
    return nil
  }()

  /// What is to be done where it is not there.
  static let missing = "libcrypto is not on this machine, or too old: install it (Debian: libssl3)"
}
