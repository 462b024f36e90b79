/// Time that a clock tells which may step back: then it stands still, and goes on from there.
struct SteadyTime: Sendable {
  private var latest: Int64 = .min
  private var offset: Int64 = 0

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
