/// An error that says when it is worth coming back.
///
/// Conform your own errors, such as one made from a response with a `Retry-After` header.
public protocol RetryAfterHint: Error {
  /// How long to wait before the next try; `nil` if it is not known.
  var retryAfter: Duration? { get }
}

/// A policy refused the call: the operation did not run.
///
/// Every policy's rejections conform to it. By default they are neutral to the policies outside
/// (a circuit breaker counts them as ``Outcome/ignored``) and are not retried.
public protocol RejectionError: RetryAfterHint, CustomStringConvertible {
  /// Why a policy refuses; each policy has its own set.
  associatedtype Reason: Hashable, Sendable, CustomStringConvertible

  /// The name of the policy that refused.
  var policy: String { get }

  /// Why it refused.
  var reason: Reason { get }
}

/// What a fallback is given when the operation returned a value that was graded as a failure.
///
/// The value itself is gone: it need be neither copyable nor `Sendable`.
public struct FailedResultError: Error, Hashable, CustomStringConvertible {
  /// The error itself; it has no parameters.
  @inlinable
  public init() {}

  /// One line for a log.
  public var description: String { "the operation returned a result that counts as a failure" }
}
