/// A retry budget in its plainest form: a list of the instants at which attempts succeeded.
///
/// One token is `whole` units, a success deposits `part` of them.
struct NaiveBudget {
  let part: Int
  let whole: Int
  let minimumCapacity: Int

  /// Whether a success at an instant counts at a later one.
  let counts: (_ success: Int64, _ now: Int64) -> Bool

  private(set) var units: Int
  private var successes: [Int64] = []

  init(
    part: Int, whole: Int, minimumCapacity: Int,
    counting counts: @escaping (_ success: Int64, _ now: Int64) -> Bool
  ) {
    self.part = part
    self.whole = whole
    self.minimumCapacity = minimumCapacity
    self.counts = counts
    units = minimumCapacity * whole
  }

  func capacity(at now: Int64) -> Int {
    max(minimumCapacity * whole, part * successes.count { counts($0, now) })
  }

  mutating func settle(at now: Int64) {
    units = min(units, capacity(at: now))
    successes.removeAll { !counts($0, now) }
  }

  mutating func succeed(at now: Int64) {
    successes.append(now)
    units += part
    settle(at: now)
  }

  mutating func giveBack(at now: Int64) {
    settle(at: now)
    units += whole
    settle(at: now)
  }

  mutating func withdraw() {
    units -= whole
  }
}
