import Resilience

/// Says which of several candidates goes next, as an order wants it.
struct Chooser: Sendable {
  /// A moment at which there was something to choose.
  struct Point: Hashable, Sendable {
    /// How many candidates there were; at least two.
    let candidates: Int
    var chosen: Int
  }

  private enum Source: Sendable {
    case first
    case drawing(SplitMix64)
    case replaying([Int])
  }

  private var source: Source
  /// What has been chosen. Kept in replays only: a shuffled run may be long, and its seed says it all.
  private(set) var points: [Point] = []
  private var doesNotFit = false

  init(_ order: VirtualClock.Order) {
    source =
      switch order.kind {
      case .arrival: .first
      case .shuffled(let seed): .drawing(SplitMix64(seed: seed))
      case .replaying(let choices): .replaying(choices)
      }
  }

  /// Whether anything but the first is ever chosen.
  var isArrival: Bool { if case .first = source { true } else { false } }

  /// Whether the choices to be replayed are not those of this program; the rest of them is void.
  var hasDiverged: Bool { doesNotFit }

  /// Whether choices are left that nobody has asked for.
  var hasLeftovers: Bool {
    if case .replaying(let choices) = source { points.count < choices.count } else { false }
  }

  mutating func choose(from candidates: Int) -> Int {
    guard candidates > 1 else { return 0 }
    switch source {
    case .first: return 0
    case .drawing(var generator):
      // Not `Int.random(in:using:)`, whose algorithm is not promised: a seed must mean the same
      // schedule with every version of Swift. The bias is below one in 2^50 for 10 000 candidates.
      let chosen = generator.next().multipliedFullWidth(by: UInt64(candidates)).high
      source = .drawing(generator)
      return Int(chosen)
    case .replaying(let choices): return replay(choices, candidates)
    }
  }

  private mutating func replay(_ choices: [Int], _ candidates: Int) -> Int {
    var chosen = points.count < choices.count ? choices[points.count] : 0
    if !(0..<candidates).contains(chosen) {
      doesNotFit = true
      chosen = 0
    }
    points.append(Point(candidates: candidates, chosen: chosen))
    return chosen
  }
}
