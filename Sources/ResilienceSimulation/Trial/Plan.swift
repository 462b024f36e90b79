import Resilience
import ResilienceTesting

/// When what is wrong in a trial.
struct Plan: Sendable {
  let roles: [TrialResult.Stretch.Role]
  /// The end of each stretch; the last one's is the end of the trial.
  let ends: [VirtualClock.Instant]
  let troubles: [[Trouble]]
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
    troubles =
      [scenario.always] + scenario.phases.map { scenario.always + $0.troubles }
      + [scenario.always + scenario.afterwards]
  }

  /// When the last trouble ends, and recovery begins.
  var troubleEnd: VirtualClock.Instant { ends[ends.count - 2] }
  var end: VirtualClock.Instant { ends[ends.count - 1] }

  func stretch(of instant: VirtualClock.Instant) -> Int {
    ends.firstIndex { instant < $0 } ?? ends.count - 1
  }

  /// The second of the timeline that an instant lies in.
  func second(of instant: VirtualClock.Instant) -> Int {
    Int((instant.offset + shift).components.seconds)
  }
}
