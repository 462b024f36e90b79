extension FaultInjection {
  /// One way in which calls are made to fail, and how often.
  ///
  /// A rate is a probability from 0, never, to 1, always.
  public struct Fault: Sendable, CustomStringConvertible {
    enum Effect: Sendable {
      case error(@Sendable () -> any Error)
      case latency(Duration)

      /// A `Replacement` for some type of result, which is named for descriptions.
      case result(any AnyObject & Sendable, of: String)
      case hang
    }

    enum Trigger: Hashable, Sendable {
      case rate(Double)
      case call(Int)
    }

    let effect: Effect
    let trigger: Trigger

    /// An error in place of the operation, which does not run.
    ///
    /// To the policies outside it is like one of the operation's own.
    ///
    /// - Parameters:
    ///   - rate: the share of the calls that fail.
    ///   - makeError: makes the error, outside any lock.
    public static func error(
      rate: Double, _ makeError: @escaping @Sendable () -> any Error
    ) -> Fault {
      Fault(effect: .error(makeError), trigger: .rate(rate))
    }

    /// An error in place of the operation, in one call only.
    ///
    /// - Parameters:
    ///   - call: the number of that call; the first call while the policy is enabled is 1.
    ///   - makeError: makes the error, outside any lock.
    public static func error(
      onCall call: Int, _ makeError: @escaping @Sendable () -> any Error
    ) -> Fault {
      Fault(effect: .error(makeError), trigger: .call(call))
    }

    /// A wait before the operation, which its caller's cancellation ends, and nothing else.
    ///
    /// - Parameters:
    ///   - latency: how long; above zero, held at 292 years.
    ///   - rate: the share of the calls that wait.
    public static func latency(_ latency: Duration, rate: Double) -> Fault {
      Fault(effect: .latency(latency), trigger: .rate(rate))
    }

    /// A value in place of the operation, which does not run.
    ///
    /// Only calls that return exactly this type get it: a `.result(1, rate: 1)` is for calls that
    /// return an `Int`, not for those that return an `Int?`. For all others the fault is not there.
    /// (For calls that return an `any P`, write `value as any P`: without it Swift hands over what is
    /// inside.)
    ///
    /// - Parameters:
    ///   - value: what the calls return.
    ///   - rate: the share of the calls that get it.
    ///   - countsAsFailure: whether the policies outside count the value as a failure. A
    ///     `failingWhen:` is not asked about it: it belongs to the operation.
    public static func result<Value: Sendable>(
      _ value: Value, rate: Double, countsAsFailure: Bool = false
    ) -> Fault {
      let replacement = Replacement {
        Graded(value, outcome: Outcome(ofValueThatFails: countsAsFailure))
      }
      return Fault(effect: .result(replacement, of: "\(Value.self)"), trigger: .rate(rate))
    }

    /// No answer: the call waits until it is cancelled, and throws `CancellationError`.
    ///
    /// Disabling the policy lets the calls that hang go on to their operations.
    ///
    /// - Parameter rate: the share of the calls that hang.
    public static func hang(rate: Double) -> Fault {
      Fault(effect: .hang, trigger: .rate(rate))
    }

    /// The fault in words, for a log: `latency 0.2 seconds at 0.5`.
    public var description: String {
      switch trigger {
      case .rate(let rate): "\(effect) at \(rate)"
      case .call(let call): "\(effect) on call \(call)"
      }
    }
  }

  /// What a call returns in place of its operation's result.
  ///
  /// A cast to it with a type of result is exact, and knows types that cannot be copied.
  final class Replacement<Success: ~Copyable>: Sendable {
    let make: @Sendable () -> Graded<Success>

    init(_ make: @escaping @Sendable () -> Graded<Success>) {
      self.make = make
    }
  }
}

extension FaultInjection.Fault.Effect: CustomStringConvertible {
  var description: String {
    switch self {
    case .error: "error"
    case .latency(let latency): "latency \(latency)"
    case .result(_, let type): "result of type \(type)"
    case .hang: "hang"
    }
  }

  /// Whether a call with such a result can be made to fail so.
  func applies<Success: ~Copyable>(to type: Success.Type) -> Bool {
    guard case .result(let replacement, _) = self else { return true }
    return replacement is FaultInjection.Replacement<Success>
  }
}

extension FaultInjection.Fault {
  func validate(_ validation: inout Validation, _ place: String) {
    switch trigger {
    case .rate(let rate):
      validation.require(
        rate >= 0 && rate <= 1, "\(place) rate", is: rate, allowed: "at least 0, at most 1")
    case .call(let call):
      validation.require(call >= 1, "\(place) onCall", is: call, allowed: "1...")
    }
    guard case .latency(let latency) = effect else { return }
    validation.require(
      latency > .zero, "\(place) latency", is: latency, allowed: "above zero")
  }
}
