import ResilienceTesting

/// How much of its work a service does in a time; it may grow with the work done.
struct Capacity: Sendable {
  private var fixed = 1.0
  private var start = 1.0
  private var requests = 1
  private var done = 0

  /// Replaces what is wrong. A service that warms goes on doing so if that began earlier.
  mutating func meet(_ occurrences: [Occurrence], at now: VirtualClock.Instant) {
    let before = self
    self = Capacity()
    for occurrence in occurrences {
      switch occurrence.trouble.effect {
      case .capacity(let share): fixed *= share
      case .warming(let start, let requests):
        self.start = start
        self.requests = requests
        done = occurrence.start < now ? before.done : 0
      case .rule, .load, .serverPauses, .clientPause, .clockStep: break
      }
    }
  }

  var share: Double {
    fixed * (start + (1 - start) * Double(done) / Double(requests))
  }

  mutating func workDone() {
    done = min(requests, done + 1)
  }
}
