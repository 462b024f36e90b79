/// A monotonic clock read as nanoseconds.
///
/// Public types take any clock whose durations are `Swift.Duration`; inside, time is one `Int64`,
/// so that an instant is a word, arithmetic is cheap and saturates, and nothing is generic in the
/// clock. The origin is the first use of `ContinuousClock` in the process, or the moment at which
/// another clock was handed over: only the distance between two readings of one source means
/// something.
package struct TimeSource: Sendable {
  private enum Kind: Sendable {
    case continuous
    case other(@Sendable () -> Int64)
  }

  private let kind: Kind

  /// Shared by every source on `ContinuousClock`, so that their readings can be compared.
  private static let origin = ContinuousClock.now

  package init(_ clock: any Clock<Duration>) {
    if clock is ContinuousClock {
      kind = .continuous
      _ = Self.origin
    } else {
      kind = .other(Self.reader(of: clock))
    }
  }

  package func now() -> Int64 {
    switch kind {
    case .continuous: Self.origin.duration(to: .now).saturatingNanoseconds
    case .other(let read): read()
    }
  }

  private static func reader<C: Clock<Duration>>(of clock: C) -> @Sendable () -> Int64 {
    let origin = clock.now
    return { origin.duration(to: clock.now).saturatingNanoseconds }
  }
}

extension Duration {
  /// The duration in whole nanoseconds, rounded towards zero, held within what `Int64` can say:
  /// 292 years either way.
  package var saturatingNanoseconds: Int64 {
    Int64(clamping: attoseconds / 1_000_000_000)
  }

  /// The shortest count of whole nanoseconds that is not less than the duration: a limit that is
  /// not zero never becomes zero.
  package var nanosecondsRoundedUp: Int64 {
    let (quotient, remainder) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
  }
}

extension Int64 {
  /// The sum, held at the bounds of the type instead of trapping.
  package func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  /// The difference, held at the bounds of the type instead of trapping.
  package func subtractingSaturated(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other < 0 ? .max : .min) : difference
  }
}

extension Duration {
  /// `Duration.seconds` traps beyond its range and on what is not a number; this holds the former
  /// at 292 years and reads the latter as zero.
  package static func clamping(seconds: Double) -> Duration {
    guard !seconds.isNaN else { return .zero }
    let longest = Double(Int64.max) / 1e9
    return .seconds(min(max(seconds, -longest), longest))
  }
}
