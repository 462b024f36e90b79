import Resilience

extension Error {
  /// Why the user service was of no use, for people.
  package var inWords: String {
    switch self {
    case let open as CircuitOpenError:
      "circuit \(open.reason)" + (open.retryAfter.map { ", next try in \($0.inSeconds)" } ?? "")
    case let late as TimeoutError: "user-service did not answer within \(late.limit.inSeconds)"
    case is DeadlineExpiredError: "no time was left to ask user-service"
    default: "\(self)"
    }
  }
}
