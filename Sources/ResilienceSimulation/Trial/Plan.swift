import Resilience
import ResilienceTesting

/// When what is wrong in a trial.
struct Plan: Sendable {
  let roles: [TrialResult.Stretch.Role]
  /// The end of each stretch; the last one's is the end of the trial.
  let ends: [VirtualClock.Instant]
  /// What is wrong in each stretch.
  let troubles: [[Occurrence]]
  /// What is added to an offset so that the end of the trouble lies on a whole second.
  private let shift: Duration

  init(_ scenario: Scenario, _ dice: inout Dice) {
    var ends: [VirtualClock.Instant] = []
    var end = VirtualClock.Instant.start.advanced(by: scenario.warmUp)
    ends.append(end)
    for phase in scenario.phases {
      end = end.advanced(by: phase.length + phase.spread.scaled(by: dice.share()))
      ends.append(end)
    }
    let seconds = end.offset.inSeconds
    shift = .seconds(seconds.rounded(.up)) - end.offset
    ends.append(end.advanced(by: scenario.watch))
    self.ends = ends
    roles = [.warmUp] + scenario.phases.map { _ in .trouble } + [.afterwards]
    troubles = Self.troubles(of: scenario, ends)
  }

  private static func troubles(
    of scenario: Scenario, _ ends: [VirtualClock.Instant]
  ) -> [[Occurrence]] {
    let always = scenario.always.map { trouble in
      Occurrence(trouble: trouble, start: .start, end: ends[ends.count - 1])
    }
    let others = [[]] + scenario.phases.map(\.troubles) + [scenario.afterwards]
    return zip(others, zip([.start] + ends, ends)).map { troubles, bounds in
      always + troubles.map { Occurrence(trouble: $0, start: bounds.0, end: bounds.1) }
    }
  }

  /// When the last trouble ends, and recovery begins.
  var troubleEnd: VirtualClock.Instant { ends[ends.count - 2] }
  var end: VirtualClock.Instant { ends[ends.count - 1] }

  func stretch(of instant: VirtualClock.Instant) -> Int {
    ends.firstIndex { instant < $0 } ?? ends.count - 1
  }

  /// How many seconds the timeline has. In the one that would begin with the end nobody calls.
  var seconds: Int { second(of: end.advanced(by: Duration(attoseconds: -1))) + 1 }

  /// The second of the timeline that an instant lies in.
  func second(of instant: VirtualClock.Instant) -> Int {
    Int((instant.offset + shift).components.seconds)
  }
}
