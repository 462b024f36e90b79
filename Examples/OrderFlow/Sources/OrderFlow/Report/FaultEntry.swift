package import Resilience

/// A request to the user service met an injected fault.
package struct FaultEntry: TimelineEntry {
  package static let event = "fault"
  package let what: What
  /// How long the request waits, in seconds.
  package let latency: Double?

  package enum What: String, Codable, Sendable {
    case error
    case latency
    case hang
  }

  /// - Returns: `nil` for what is no fault: those who change the faults are told nothing here.
  package init?(_ kind: FaultInjection.Event.Kind) {
    guard case .injected(let injection) = kind else { return nil }
    switch injection {
    case .error: self.init(.error)
    case .latency(let latency): self.init(.latency, latency.seconds)
    case .hang: self.init(.hang)
    default: return nil
    }
  }

  private init(_ what: What, _ latency: Double? = nil) {
    self.what = what
    self.latency = latency
  }

  package var columns: String { "fault       " + inWords }

  private var inWords: String {
    switch what {
    case .error: "injected an error"
    case .latency: "injected a latency of \(Duration.seconds(latency ?? 0).inSeconds)"
    case .hang: "injected a hang"
    }
  }
}
