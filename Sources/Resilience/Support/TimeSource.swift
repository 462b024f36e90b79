#if canImport(Glibc)
  import Glibc
#endif

/// A monotonic clock read as nanoseconds.
///
/// Public types take any clock whose durations are `Swift.Duration`; inside, time is one `Int64`,
/// so that an instant is a word, arithmetic is cheap and saturates, and nothing is generic in the
/// clock. The origin is the source's own: only the distance between two readings of one source
/// means something.
package struct TimeSource: Sendable {
  private enum Kind: Sendable {
    case continuous
    case coarse
    case other(@Sendable () -> Int64)
  }

  private let kind: Kind

  /// What the instants of a source on `ContinuousClock` are counted from.
  static let origin = ContinuousClock.now

  /// - Parameters:
  ///   - clock: what to read.
  ///   - shortest: the shortest distance that matters, in nanoseconds. Where the default clock is
  ///     given, and the system has one that costs a quarter and steps in less than a hundredth of
  ///     this, that one is read.
  package init(_ clock: any Clock<Duration>, shortest: Int64 = 0) {
    if clock is ContinuousClock {
      ConstructionAudit.noteRealClock()
      kind = Self.isCoarseEnough(for: shortest) ? .coarse : .continuous
      _ = Self.origin
    } else {
      kind = .other(Self.reader(of: clock))
    }
  }

  /// - Parameter read: tells the time, in nanoseconds.
  init(reading read: @escaping @Sendable () -> Int64) {
    kind = .other(read)
  }

  /// Whether the system's coarse clock is read.
  var isCoarse: Bool { if case .coarse = kind { true } else { false } }

  package func now() -> Int64 {
    switch kind {
    case .continuous: Self.continuousNow()
    case .coarse: Self.coarseNow()
    case .other(let read): read()
    }
  }

  /// Kept apart, because the size of an instant is known at run time only: a caller that had this
  /// inlined would pay for it where it reads no clock.
  @inline(never)
  private static func continuousNow() -> Int64 {
    origin.duration(to: .now).saturatingNanoseconds
  }

  private static func reader<C: Clock<Duration>>(of clock: C) -> @Sendable () -> Int64 {
    reader(of: clock, from: clock.now)
  }

  private static func reader<C: Clock<Duration>>(
    of clock: C, from origin: C.Instant
  ) -> @Sendable () -> Int64 {
    { origin.duration(to: clock.now).saturatingNanoseconds }
  }

  /// Reads a clock from an origin that the caller knows.
  init<C: Clock<Duration>>(_ clock: C, from origin: C.Instant) {
    kind = .other(Self.reader(of: clock, from: origin))
  }
}

// MARK: - The coarse clock

extension TimeSource {
  #if canImport(Glibc)
    /// Linux keeps the time of its last tick, some milliseconds old at most, where reading it
    /// takes a few nanoseconds. It stands still while the machine is suspended.
    private static func coarseNow() -> Int64 {
      var time = timespec()
      // Writes the local variable it is given, and cannot fail for a clock that exists.
      _ = unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
      return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// The distance between two ticks, in nanoseconds; 0 if there is no such clock.
    private static let coarseStep: Int64 = {
      var step = timespec()
      // Writes the local variable it is given.
      guard unsafe clock_getres(CLOCK_MONOTONIC_COARSE, &step) == 0, step.tv_sec == 0 else {
        return 0
      }
      return Int64(step.tv_nsec)
    }()
  #else
    private static func coarseNow() -> Int64 { continuousNow() }
    private static var coarseStep: Int64 { 0 }
  #endif

  private static func isCoarseEnough(for shortest: Int64) -> Bool {
    coarseStep > 0 && shortest / 100 >= coarseStep
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

extension Duration {
  /// `Duration.seconds` traps beyond its range and on what is not a number; this holds the former
  /// at 292 years and reads the latter as zero.
  package static func clamping(seconds: Double) -> Duration {
    guard !seconds.isNaN else { return .zero }
    let longest = Double(Int64.max) / 1e9
    return .seconds(min(max(seconds, -longest), longest))
  }
}
