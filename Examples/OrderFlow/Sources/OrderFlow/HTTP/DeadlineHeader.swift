import FlyingFox
import Foundation
import Resilience

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// How long a caller waits, in whole milliseconds: `X-Request-Timeout-Ms`.
///
/// What is left is sent and not the instant, since two machines share no clock.
enum DeadlineHeader {
  static let name = "X-Request-Timeout-Ms"
}

/// A caller who waits for no time that can be read.
struct UnreadableDeadline: Error, CustomStringConvertible {
  var description: String {
    "\(DeadlineHeader.name) must be milliseconds, 1 to 19 digits"
  }
}

extension Request {
  /// Until when the caller waits, counted from now; `nil` if it does not say.
  ///
  /// - Throws: ``UnreadableDeadline``.
  func deadline() throws -> Deadline? {
    guard let timeout else { return nil }
    guard let deadline = Deadline(decimalMilliseconds: timeout) else { throw UnreadableDeadline() }
    return deadline
  }
}

extension URLRequest {
  /// Tells the service how long this task waits, if it has a deadline.
  ///
  /// Less than a millisecond is sent as 0, which our services take for a deadline that has passed.
  mutating func announce(_ deadline: Deadline?) {
    setValue(deadline?.decimalMilliseconds, forHTTPHeaderField: DeadlineHeader.name)
  }
}
