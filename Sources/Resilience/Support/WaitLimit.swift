/// Until when a call that begins to wait now may do so: for as long as its policy allows, and not
/// beyond its deadline.
struct WaitLimit: Sendable {
  /// The instant, on the clock it was made for.
  let instant: Int64

  /// Whether the deadline sets it.
  let isDeadline: Bool

  /// How much time that is.
  let length: Int64

  /// - Parameters:
  ///   - nanoseconds: how long the policy lets a call wait.
  ///   - source: tells what time it is. The deadline is read on its own.
  init(_ nanoseconds: Int64, on source: TimeSource) {
    let remaining = Deadline.current?.remaining.saturatingNanoseconds ?? .max
    isDeadline = remaining < nanoseconds
    length = max(0, min(nanoseconds, remaining))
    instant = source.now().addingSaturated(length)
  }
}
