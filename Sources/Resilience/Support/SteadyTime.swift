/// Time that a clock tells which may step back: then it stands still, and goes on from there.
struct SteadyTime: Sendable {
  /// The time when it was last told.
  private(set) var latest: Int64

  /// How far the clock is behind it.
  private var offset: Int64

  /// Time as the clock shows it.
  init() {
    latest = .min
    offset = 0
  }

  /// Time that begins at zero.
  init(beginningAt reading: Int64) {
    latest = 0
    offset = Int64.zero.subtractingSaturated(reading)
  }

  /// - Parameter reading: what the clock shows; readings are handed over in the order in which they
  ///   were taken.
  mutating func now(at reading: Int64) -> Int64 {
    let now = reading.addingSaturated(offset)
    guard now < latest else {
      latest = now
      return now
    }
    offset = offset.addingSaturated(latest.subtractingSaturated(now))
    return latest
  }
}
