import Resilience
import ResilienceTesting
import Synchronization

/// A call that a user makes.
final class Call: Sendable {
  enum Ending: Hashable, Sendable {
    case good
    case late
    case refused(wouldBeAnswered: Bool)
    case failed
    case cancelled

    var code: UInt64 {
      switch self {
      case .good: 0
      case .late: 1
      case .refused(let wouldBeAnswered): wouldBeAnswered ? 2 : 3
      case .failed: 4
      case .cancelled: 5
      }
    }
  }

  let number: Int
  let request: Request
  let start: VirtualClock.Instant
  /// In which stretch of the trial it was made.
  let stretch: Int
  let groups: [CallGroup]
  private let sent = Atomic(false)

  init(
    number: Int, _ request: Request, start: VirtualClock.Instant, stretch: Int, isTroubled: Bool
  ) {
    self.number = number
    self.request = request
    self.start = start
    self.stretch = stretch
    groups = [.all, isTroubled ? .troubled : .untroubled, CallGroup(request.criticality)]
  }

  /// Whether an attempt of it has been sent.
  var wasSent: Bool { sent.load(ordering: .relaxed) }

  func noteSent() { sent.store(true, ordering: .relaxed) }
}
