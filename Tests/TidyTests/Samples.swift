/// What the walk over the sources must and must not find.
enum Samples {
  // banned
  /* banned /* banned */ banned */
  static let banned = 1  // found

  static let texts = [
    "banned \" banned",
    "seen \(banned) banned",  // found
    "// banned \\",
    #"banned " \(banned) banned"#,
    #"banned \#(banned)"#,  // found
    """
    banned " banned ""
    \(banned) // found
    """,
    "\("banned" + "\(banned)")",  // found
  ]
}
