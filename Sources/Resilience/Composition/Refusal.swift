/// What a rejection says, behind one reference.
///
/// An error of one word is cast to a protocol without an allocation; a wider one is boxed each time.
/// So every ``RejectionError`` of this package is a struct around one of these.
final class Refusal<Reason: Sendable, Details: Sendable>: Sendable {
  let policy: String
  let reason: Reason
  let details: Details

  /// When it is worth coming back.
  private let retryAt: Deadline?

  init(by policy: String, _ reason: Reason, retryAt: Deadline? = nil, details: Details) {
    self.policy = policy
    self.reason = reason
    self.retryAt = retryAt
    self.details = details
  }

  /// How long to wait from now on: never negative, and shorter each time it is asked.
  var retryAfter: Duration? { retryAt?.remaining }
}

extension Refusal where Details == Void {
  convenience init(by policy: String, _ reason: Reason, retryAt: Deadline? = nil) {
    self.init(by: policy, reason, retryAt: retryAt, details: ())
  }
}
