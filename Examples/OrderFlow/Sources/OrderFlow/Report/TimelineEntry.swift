import Foundation
package import Resilience

/// A line of the timeline.
package protocol TimelineEntry: Encodable, Sendable {
  static var event: String { get }
  /// The line for people, after the time.
  var columns: String { get }
  /// The whole line for people.
  func text(at time: String) -> String
}

extension TimelineEntry {
  package func text(at time: String) -> String { "\(time)  \(columns)" }

  func json(at time: Double) -> String {
    let line = Line(event: Self.event, time: time, entry: self)
    // Encoding fails for numbers that are not finite only, and no entry holds one.
    return (try? JSONEncoder.sorted.encode(line)).map { String(decoding: $0, as: UTF8.self) }
      ?? "{}"
  }
}

private struct Line<Entry: TimelineEntry>: Encodable {
  let event: String
  let time: Double
  let entry: Entry

  enum Key: CodingKey { case event, time }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(event, forKey: .event)
    try container.encode(time, forKey: .time)
    try entry.encode(to: encoder)
  }
}

/// What an order goes through, and each call of the user service within.
package struct PipelineEntry: TimelineEntry {
  package static let event = "pipeline"
  /// The outermost first.
  package let orders: [String]
  package let layers: [String]

  package init(orders: [PolicyLayer], calls: [PolicyLayer]) {
    self.orders = orders.map(\.description)
    layers = calls.map(\.description)
  }

  package func text(at time: String) -> String { columns }

  package var columns: String {
    let taken = ["order-service takes orders through"] + orders
    let calls = ["order-service calls user-service through"] + layers
    return [taken, calls].map { $0.joined(separator: "\n  ") }.joined(separator: "\n")
  }
}

/// The user service was broken, or mended.
package struct HealthEntry: TimelineEntry {
  package static let event = "user-service"
  package let health: Health

  package init(_ health: Health) { self.health = health }

  package var columns: String { "user-service is \(health.inWords)" }
}

extension Health {
  fileprivate var inWords: String {
    switch self {
    case .healthy: "healthy"
    case .flaky: "flaky: every third request is answered 500"
    case .errors: "broken: it answers 500"
    case .sluggish: "sluggish: it answers, and takes its time"
    case .slow: "slow: it answers too late"
    case .refusing: "down: connections are refused"
    }
  }
}

/// The circuit breaker changed its state.
package struct TransitionEntry: TimelineEntry {
  package static let event = "transition"
  package let from: String
  package let to: String
  package let why: String

  package init(_ change: CircuitBreaker.StateChange) {
    from = "\(change.from)"
    to = "\(change.to)"
    why = Self.why(change)
  }

  private static func why(_ change: CircuitBreaker.StateChange) -> String {
    switch change.cause {
    case .consecutiveFailures: "\(change.counts.consecutiveFailures) \(change.cause)"
    case .probesSucceeded: "\(change.counts.successes) \(change.cause)"
    default: "\(change.cause)"
    }
  }

  package var columns: String {
    "circuit     " + "\(from) > \(to)".padded(to: 24) + "  " + why
  }
}

/// An order was answered.
package struct OrderEntry: TimelineEntry, AnsweredOrder {
  package static let event = "order"
  /// The number of the order in the demo; the first is 1.
  package let order: Int
  package let user: Int
  package let status: Int
  package let answer: Answer
  /// The state of the circuit after it.
  package let state: String
  package let why: String
  /// Whether it reached the user service: 1, or 0 if the circuit was open.
  package let userCalls: Int
  /// The requests that it made there: more than 1 if it was tried again.
  package let attempts: Int
  package let retryAfter: Int?

  package enum Answer: String, Codable, Sendable {
    case created
    case degraded
    case refused
    /// The order service has too many orders.
    case busy
  }

  package var columns: String { answerColumns("order \(order)", state: state) }
}

extension AnsweredOrder {
  func answerColumns(_ number: String, state: String) -> String {
    let answer = "\(status) \(answer.rawValue)".padded(to: 12)
    return "\(number.padded(to: 10))  \(answer)  \(state.padded(to: 10))  \(why)"
  }
}

/// The closing line.
package struct Summary: TimelineEntry, Decodable, Equatable {
  package static let event = "summary"
  /// Those that were placed one after the other.
  package var orders = 0
  package var created = 0
  package var degraded = 0
  package var refused = 0
  /// The orders that reached the user service.
  package var userCalls = 0
  /// The requests that they made there.
  package var attempts = 0
  /// The orders that got no further attempt, because the budget had nothing left.
  package var budgetRefused = 0
  /// Those that were placed at once, on top of the others.
  package var rush = 0
  /// Those of them that the order service turned away.
  package var busy = 0
  /// Faults that were injected, in orders of both kinds; `nil` without chaos.
  package var injected: Injected?
  package var transitions: [String] = []

  /// It has no time, so that two runs can be compared.
  package func text(at time: String) -> String { columns }

  package var columns: String {
    "summary orders=\(orders) created=\(created) degraded=\(degraded) refused=\(refused) "
      + "user-calls=\(userCalls) attempts=\(attempts) budget-refused=\(budgetRefused) "
      + "rush=\(rush) busy=\(busy) \(injected.map { "\($0) " } ?? "")"
      + "transitions=\(transitions.joined(separator: ">"))"
  }
}

extension Summary {
  /// How many of which faults were injected.
  package struct Injected: Codable, Equatable, Sendable, CustomStringConvertible {
    package var errors = 0
    package var latencies = 0
    package var hangs = 0

    package var description: String {
      "injected=\(errors + latencies + hangs) errors=\(errors) latencies=\(latencies) hangs=\(hangs)"
    }
  }
}

extension Summary.Injected {
  init(_ snapshot: FaultInjection.Snapshot) {
    self.init(
      errors: snapshot.errors, latencies: snapshot.latencies, hangs: snapshot.hangs)
  }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
