extension VirtualClock {
  /// A point on a virtual clock: the time that has passed since the clock's start.
  ///
  /// Arithmetic saturates at the ends of what `Duration` can hold; nothing traps.
  public struct Instant: InstantProtocol {
    /// The time since the clock's start.
    public let offset: Duration

    /// Makes the instant that lies `offset` after the clock's start.
    public init(offset: Duration) {
      self.offset = offset
    }

    /// Where every virtual clock starts.
    public static let start = Instant(offset: .zero)

    /// The instant `duration` later, or the last (first) there is.
    public func advanced(by duration: Duration) -> Instant {
      let (sum, overflow) = offset.attoseconds.addingReportingOverflow(duration.attoseconds)
      guard overflow else { return Instant(offset: Duration(attoseconds: sum)) }
      return Instant(offset: Duration(attoseconds: duration < .zero ? .min : .max))
    }

    /// The time from this instant to `other`, negative if `other` is earlier.
    public func duration(to other: Instant) -> Duration {
      let (distance, overflow) =
        other.offset.attoseconds.subtractingReportingOverflow(offset.attoseconds)
      guard overflow else { return Duration(attoseconds: distance) }
      return Duration(attoseconds: other < self ? .min : .max)
    }

    /// Whether `lhs` is earlier.
    public static func < (lhs: Instant, rhs: Instant) -> Bool {
      lhs.offset < rhs.offset
    }
  }
}

extension VirtualClock.Instant: CustomStringConvertible {
  /// The time since the clock's start, such as `1.5 seconds`.
  public var description: String { "\(offset)" }
}
