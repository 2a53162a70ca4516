internal import CCurl
import Synchronization
internal import TarnBytes

/// The thread that drives all transfers of a client through one multi handle of curl.
final class TransferLoop: Sendable {
  /// What other threads hand over.
  private struct Inbox: Sendable {
    var waiting: [Transfer] = []
    var isClosed = false
    var hasStarted = false
  }

  /// curl's handle, which the thread owns, and which others may only wake.
  private struct Multi: @unchecked Sendable {
    // Unchecked: only `multi_wakeup` is called by other threads, which curl allows.
    let pointer: UnsafeMutableRawPointer
    let curl: UnsafePointer<CurlFunctions>

    init?() {
      guard let curl = CurlLibrary.functions?.pointer, let pointer = curl.pointee.multi_init?() else {
        return nil
      }
      self.pointer = pointer
      self.curl = curl
    }
  }

  private let options: HTTPOptions
  private let inbox = Mutex(Inbox())
  private let multi: Multi?

  init(_ options: HTTPOptions) {
    self.options = options
    multi = Multi()
    guard let multi else { return }
    let most = max(1, options.requests)
    _ = curlSetLimit(multi.curl, multi.pointer, CURLMOPT_MAXCONNECTS, most)
    _ = curlSetLimit(multi.curl, multi.pointer, CURLMOPT_MAX_TOTAL_CONNECTIONS, most)
    _ = curlSetLimit(
      multi.curl, multi.pointer, CURLMOPT_MAX_HOST_CONNECTIONS, max(1, min(options.requestsPerServer, most)))
  }

  deinit {
    if let multi { _ = multi.curl.pointee.multi_cleanup?(multi.pointer) }
  }

  /// Hands a transfer over; its end is told from the loop's thread.
  func submit(_ transfer: Transfer) {
    let mayRun = inbox.withLock { inbox in
      guard multi != nil, !inbox.isClosed else { return false }
      if !inbox.hasStarted {
        // The thread holds the loop until it is closed.
        inbox.hasStarted = OwnThread.start { self.run() }
      }
      if inbox.hasStarted { inbox.waiting.append(transfer) }
      return inbox.hasStarted
    }
    if mayRun { return wake() }
    let what =
      CurlLibrary.functions == nil
      ? "libcurl is not on this machine, or too old: install it (Debian: libcurl4)"
      : "no thread or no memory is left for transfers"
    transfer.tell(.failure(transfer.error(.couldNotConnect, what)))
  }

  /// Has the thread look at once at what was handed over or cancelled.
  func wake() {
    if let multi { _ = multi.curl.pointee.multi_wakeup?(multi.pointer) }
  }

  /// Ends the thread, and with it what is under way.
  func close() {
    inbox.withLock { $0.isClosed = true }
    wake()
  }

  private func run() {
    guard let multi else { return }
    var active = ActiveTransfers(multi.pointer, multi.curl, options)
    while true {
      let (arrived, isClosed) = inbox.withLock { inbox in
        defer { inbox.waiting.removeAll() }
        return (inbox.waiting, inbox.isClosed)
      }
      active.add(arrived)
      if isClosed { return active.cancelAll() }
      let patience = active.step()
      var events: Int32 = 0
      _ = multi.curl.pointee.multi_poll?(multi.pointer, nil, 0, patience, &events)
    }
  }
}

/// The transfers that a loop's thread knows of: under way, or waiting their turn.
struct ActiveTransfers: ~Copyable {
  private struct Active {
    let transfer: Transfer
    let easy: EasyHandle
  }

  private let multi: UnsafeMutableRawPointer
  private let curl: UnsafePointer<CurlFunctions>
  private let options: HTTPOptions
  private var waiting: [Transfer] = []
  private var active: [UnsafeMutableRawPointer: Active] = [:]
  private var perServer: [String: Int] = [:]

  init(_ multi: UnsafeMutableRawPointer, _ curl: UnsafePointer<CurlFunctions>, _ options: HTTPOptions) {
    self.multi = multi
    self.curl = curl
    self.options = options
  }

  mutating func add(_ transfers: [Transfer]) { waiting.append(contentsOf: transfers) }

  /// Goes on with all of them.
  ///
  /// - Returns: For how many milliseconds nothing needs to be done unless something comes.
  mutating func step() -> Int32 {
    endCancelled()
    startWaiting()
    var running: Int32 = 0
    _ = curl.pointee.multi_perform?(multi, &running)
    endDone()
    let left = endImpatient()
    // What ended has made room.
    startWaiting()
    return left
  }

  mutating func cancelAll() {
    for transfer in waiting { transfer.tell(.failure(transfer.error(.cancelled, "cancelled"))) }
    waiting.removeAll()
    for key in Array(active.keys) { end(key) { .failure($0.error(.cancelled, "cancelled")) } }
  }

  private mutating func startWaiting() {
    guard !waiting.isEmpty else { return }
    var kept: [Transfer] = []
    for transfer in waiting {
      let count = perServer[transfer.server] ?? 0
      guard active.count < max(1, options.requests), count < max(1, options.requestsPerServer) else {
        kept.append(transfer)
        continue
      }
      start(transfer)
    }
    waiting = kept
  }

  private mutating func start(_ transfer: Transfer) {
    let easy: EasyHandle
    do throws(HTTPError) {
      easy = try TransferSetup.handle(for: transfer, options, curl)
    } catch {
      return transfer.tell(.failure(error))
    }
    transfer.start(now: SystemCalls.monotonicNanoseconds())
    guard curl.pointee.multi_add_handle?(multi, easy.pointer) == CURLM_OK else {
      easy.free()
      return transfer.tell(.failure(transfer.error(.couldNotConnect, "no memory is left for transfers")))
    }
    perServer[transfer.server, default: 0] += 1
    active[easy.pointer] = Active(transfer: transfer, easy: easy)
  }

  private mutating func endCancelled() {
    if waiting.contains(where: { $0.cancellation.isSet }) {
      waiting.removeAll { transfer in
        guard transfer.cancellation.isSet else { return false }
        transfer.tell(.failure(transfer.error(.cancelled, "cancelled")))
        return true
      }
    }
    for (key, entry) in active where entry.transfer.cancellation.isSet {
      end(key) { .failure($0.error(.cancelled, "cancelled")) }
    }
  }

  private mutating func endDone() {
    var left: Int32 = 0
    while let message = curl.pointee.multi_info_read?(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let key = message.pointee.easy_handle else { continue }
      let result = curlResult(message)
      end(key) { $0.outcome(result) }
    }
  }

  /// Ends those whose time is over, and tells how many milliseconds the next one has.
  private mutating func endImpatient() -> Int32 {
    let now = SystemCalls.monotonicNanoseconds()
    var least: Int64 = 60_000_000_000
    for (key, entry) in active {
      let left = entry.transfer.patience(now: now)
      if left <= 0 {
        end(key) { .failure($0.impatience(now: now)) }
      } else {
        least = min(least, left)
      }
    }
    return Int32(least / 1_000_000) + 1
  }

  private mutating func end(
    _ key: UnsafeMutableRawPointer, _ outcome: (Transfer) -> Result<HTTPResponse, HTTPError>
  ) {
    guard let entry = active.removeValue(forKey: key) else { return }
    _ = curl.pointee.multi_remove_handle?(multi, key)
    // Told only now that curl will not write into the request's memory any more.
    let result = outcome(entry.transfer)
    entry.easy.free()
    let count = (perServer[entry.transfer.server] ?? 1) - 1
    perServer[entry.transfer.server] = count > 0 ? count : nil
    entry.transfer.tell(result)
  }
}
