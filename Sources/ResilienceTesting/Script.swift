/// An operation that does what its list says, one step a call.
///
/// ```swift
/// let fetch = Script([.fail(Unavailable()), .succeed("late", after: .seconds(3))], clock: clock)
/// try await retry.run { try await fetch() }
/// #expect(fetch.calls == 2)
/// ```
///
/// After its end it repeats the last step; an empty one hangs.
public final class Script<Value: Sendable>: Sendable {
  /// What one call does.
  public struct Step: Sendable {
    fileprivate let ending: Result<Value, any Error>?
    fileprivate let delay: Duration

    /// Returns the value, after so much time on the script's clock.
    public static func succeed(_ value: Value, after delay: Duration = .zero) -> Step {
      Step(ending: .success(value), delay: delay)
    }

    /// Throws the error, after so much time on the script's clock.
    public static func fail(_ error: any Error, after delay: Duration = .zero) -> Step {
      Step(ending: .failure(error), delay: delay)
    }

    /// Does not end until it is cancelled; then it throws `CancellationError`.
    public static var hang: Step { Step(ending: nil, delay: .zero) }
  }

  private let steps: [Step]
  private let clock: any Clock<Duration>
  private let started = Lock(0)

  /// Makes an operation.
  ///
  /// - Parameters:
  ///   - steps: what its calls do, in the order in which they begin.
  ///   - clock: what delays are measured on.
  public init(_ steps: [Step], clock: any Clock<Duration>) {
    self.steps = steps
    self.clock = clock
  }

  /// How many calls have begun.
  public var calls: Int {
    started.withLock { $0 }
  }

  /// Does the next step.
  ///
  /// - Throws: what the step says; or `CancellationError` if it was cancelled during a delay or
  ///   while it hung.
  public func callAsFunction() async throws -> Value {
    let call = started.withLock { started in
      defer { started += 1 }
      return started
    }
    let step = call < steps.count ? steps[call] : steps.last ?? .hang
    guard let ending = step.ending else { return try await hang() }
    if step.delay > .zero { try await clock.sleep(for: step.delay) }
    return try ending.get()
  }

  private func hang() async throws -> Value {
    let silence = AsyncStream<Never> { _ in }
    for await _ in silence {}
    throw CancellationError()
  }
}
