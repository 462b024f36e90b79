import Resilience
import ResilienceTesting

/// The events of a trial in their order: as a digest, and as lines if they are wanted.
struct Trace: Sendable {
  enum Event: Sendable {
    case call
    case arrival
    case completion
    case ending(Call.Ending)
    case change(CircuitBreaker.State)
  }

  private let keepsLines: Bool
  private(set) var lines: [String] = []

  /// FNV-1a over the events (Fowler, Noll, Vo; RFC 9923), a word at a time.
  private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

  init(keepsLines: Bool) {
    self.keepsLines = keepsLines
  }

  mutating func note(_ event: Event, _ number: Int, at instant: VirtualClock.Instant) {
    let nanoseconds = instant.offset.saturatingNanoseconds
    mix(UInt64(bitPattern: nanoseconds))
    mix(event.code)
    mix(UInt64(bitPattern: Int64(number)))
    if keepsLines { lines.append("\(nanoseconds) \(event) \(number)") }
  }

  private mutating func mix(_ word: UInt64) {
    digest = (digest ^ word) &* 0x100_0000_01b3
  }
}

extension Trace.Event: CustomStringConvertible {
  fileprivate var code: UInt64 {
    switch self {
    case .call: 1
    case .arrival: 2
    case .completion: 3
    case .ending(let ending): 4 + ending.code
    case .change(let state): 16 + UInt64(state.description.utf8.first ?? 0)
    }
  }

  var description: String {
    switch self {
    case .call: "call"
    case .arrival: "arrival"
    case .completion: "completion"
    case .ending(let ending): "\(ending)"
    case .change(let state): "circuit \(state)"
    }
  }
}
