import Resilience

/// How long a worker takes for one request.
public struct ServiceTime: Hashable, Sendable, CustomStringConvertible {
  private enum Shape: Hashable, Sendable {
    case exponential
    case constant
    case uniform(spread: Double)
  }

  private let shape: Shape

  /// The time on average.
  public let mean: Duration

  /// Exponentially distributed: most requests are short, some take several times the mean.
  public static func exponential(mean: Duration) -> ServiceTime {
    ServiceTime(shape: .exponential, mean: mean)
  }

  /// Always the same.
  public static func constant(_ time: Duration) -> ServiceTime {
    ServiceTime(shape: .constant, mean: time)
  }

  /// Uniform around the mean, within `spread` times the mean to either side.
  ///
  /// - Parameter spread: 0 to 1; held within that.
  public static func uniform(mean: Duration, spread: Double) -> ServiceTime {
    ServiceTime(shape: .uniform(spread: min(1, max(0, spread))), mean: mean)
  }

  func draw(_ dice: inout Dice) -> Duration {
    switch shape {
    case .exponential: dice.exponential(mean: mean)
    case .constant: mean
    case .uniform(let spread): mean.scaled(by: 1 + spread * (2 * dice.share() - 1))
    }
  }

  /// The distribution in words.
  public var description: String {
    switch shape {
    case .exponential: "exponential, mean \(mean)"
    case .constant: "\(mean)"
    case .uniform(let spread): "uniform, mean \(mean), within \(spread) of it"
    }
  }
}
