import Foundation

extension Duration {
  /// In seconds, as a number.
  package var seconds: Double { self / .seconds(1) }

  /// In seconds, for people: `1.5 s`, and `0.25 s` below one.
  package var inSeconds: String { String(format: seconds < 0.995 ? "%.2f s" : "%.1f s", seconds) }

  /// In whole seconds, for a `Retry-After` header: rounded up, since earlier would be too early, and
  /// at least 1, since 0 would invite a loop.
  package var retryAfter: Int {
    let (seconds, attoseconds) = components
    return max(1, Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0))
  }
}
