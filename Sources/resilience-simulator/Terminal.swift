#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#endif

/// Where errors and progress go: standard error, so that a report can be piped.
struct Terminal: Sendable {
  private let showsProgress = isatty(STDERR_FILENO) != 0
  private let start = ContinuousClock.now

  /// Shows a line in place of the one before, with the time since the start; nothing unless somebody
  /// sits before a terminal.
  func showProgress(_ line: String) {
    guard showsProgress else { return }
    let seconds = start.duration(to: .now).components.seconds
    put("\r\u{1B}[K\(seconds) s   \(line)")
  }

  func clearProgress() {
    guard showsProgress else { return }
    put("\r\u{1B}[K")
  }

  func sayError(_ text: String) {
    clearProgress()
    put(text)
  }

  private func put(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      // The buffer is not used after this call. What a closed terminal does not take is lost.
      _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }
}
