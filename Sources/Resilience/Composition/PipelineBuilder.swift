/// Puts the policies in the body of a ``Pipeline`` inside one another: the first is outermost.
///
/// Understands `if`, `if let`, `else`, `switch` and `if #available`. A branch that is not taken
/// adds no policy. A policy whose type is known at run time only is wrapped: in an
/// ``AnyResiliencePolicy``, or an ``AnyConcurrentPolicy``.
@resultBuilder
public enum PipelineBuilder {
  /// A policy.
  @inlinable
  public static func buildExpression<Policy: ConcurrentPolicy>(_ policy: Policy) -> Policy {
    policy
  }

  /// The outermost policy.
  @inlinable
  public static func buildPartialBlock<Policy: ConcurrentPolicy>(first: Policy) -> Policy {
    first
  }

  /// The next policy inside those before it.
  @inlinable
  public static func buildPartialBlock<Outer: ConcurrentPolicy, Inner: ConcurrentPolicy>(
    accumulated: Outer, next: Inner
  ) -> PolicyStack<Outer, Inner> {
    PolicyStack(accumulated, next)
  }

  /// The policies of an `if` without `else`.
  @inlinable
  public static func buildOptional<Policy: ConcurrentPolicy>(
    _ policy: Policy?
  ) -> OptionalPolicy<Policy> {
    OptionalPolicy(policy)
  }

  /// The policies of the first branch of two.
  @inlinable
  public static func buildEither<First: ConcurrentPolicy, Second: ConcurrentPolicy>(
    first: First
  ) -> EitherPolicy<First, Second> {
    .first(first)
  }

  /// The policies of the second branch of two.
  @inlinable
  public static func buildEither<First: ConcurrentPolicy, Second: ConcurrentPolicy>(
    second: Second
  ) -> EitherPolicy<First, Second> {
    .second(second)
  }

  /// Policies that may not exist on every system: their types must not be part of the pipeline's.
  @inlinable
  public static func buildLimitedAvailability(
    _ policy: some ResiliencePolicy
  ) -> AnyResiliencePolicy {
    AnyResiliencePolicy(policy)
  }

  /// Policies that may not exist on every system and that may run an operation concurrently.
  @inlinable
  public static func buildLimitedAvailability(
    _ policy: some ConcurrentPolicy
  ) -> AnyConcurrentPolicy {
    AnyConcurrentPolicy(policy)
  }

  /// Says in words that an empty body is a mistake.
  @available(*, unavailable, message: "a pipeline, and each branch in it, needs a policy")
  public static func buildBlock() -> OptionalPolicy<AnyResiliencePolicy> { OptionalPolicy(nil) }
}
