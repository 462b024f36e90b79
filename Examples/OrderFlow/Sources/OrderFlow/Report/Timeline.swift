import Foundation
package import Resilience
import Synchronization

/// What happened, in order: one line an event, through one sink.
package final class Timeline: Sendable {
  package enum Format: Sendable {
    /// For people.
    case text
    /// A JSON object a line.
    case json
  }

  private let format: Format
  private let start = ContinuousClock.now
  private let sink: @Sendable (String) -> Void
  // Held while a line is written, so that lines come out in the order of their times.
  private let path = Mutex<[String]>([])

  /// - Parameter sink: is given the lines, without their ends, one at a time.
  package init(_ format: Format, sink: @escaping @Sendable (String) -> Void) {
    self.format = format
    self.sink = sink
  }

  /// The circuit's states so far, the first one included.
  package var states: [String] { path.withLock(\.self) }

  package func add(_ entry: any TimelineEntry) {
    path.withLock { _ in write(entry) }
  }

  private func add(_ transition: TransitionEntry) {
    path.withLock { states in
      if states.isEmpty { states.append(transition.from) }
      states.append(transition.to)
      write(transition)
    }
  }

  private func write(_ entry: any TimelineEntry) {
    let seconds = start.duration(to: .now).seconds
    switch format {
    case .text: sink(entry.text(at: String(format: "%7.3f", seconds)))
    case .json: sink(entry.json(at: (seconds * 1_000).rounded() / 1_000))
    }
  }
}

extension Timeline: ResilienceObserver {
  package func observe(_ event: any ResilienceEvent) {
    switch event {
    case let event as CircuitBreaker.Event:
      if case .stateChanged(let change) = event.kind { add(TransitionEntry(change)) }
    case let event as Retry.Event:
      if let entry = RetryEntry(event.kind) { add(entry) }
    case let event as FaultInjection.Event:
      if let entry = FaultEntry(event.kind) { add(entry) }
    default: break
    }
  }
}
