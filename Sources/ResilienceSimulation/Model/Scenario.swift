import Resilience

/// What a fleet of clients goes through with a service that they call.
///
/// The ten scenarios of this module are made for comparison, such as ``brownout(lasting:)``; change
/// their properties, or make your own, to resemble your service.
public struct Scenario: Sendable {
  /// What it is called.
  public var name: String

  /// The service at the end of all calls.
  public var service = ServiceModel()

  /// Who calls, and how often.
  public var load = Load()

  /// What stacks are told that an attempt may take; 250 ms by default.
  public var attemptTimeout: Duration = .milliseconds(250)

  /// How long a user waits. An answer that takes longer is worth nothing; 1 s by default.
  public var deadline: Duration = .seconds(1)

  /// How often stacks are told to try, the first attempt included; 4 by default.
  public var maxAttempts = 4

  /// How many calls deep the service lies: at 1 clients call it; at 3 they call a service that calls
  /// another that calls it, each through a stack of its own.
  public var hops = 1

  /// What is wrong all the time.
  public var always: [Trouble] = []

  /// How long clients call before anything goes wrong; 30 s by default.
  public var warmUp: Duration = .seconds(30)

  /// What goes wrong, one after another.
  public var phases: [Phase]

  /// What is still wrong after the last phase, when recovery is measured.
  public var afterwards: [Trouble] = []

  /// How long to watch after the last phase; 137 s by default.
  public var watch: Duration = .seconds(137)

  /// Makes a scenario with the defaults that the properties state.
  public init(_ name: String, phases: [Phase] = []) {
    self.name = name
    self.phases = phases
  }

  /// A stretch of time in which something is wrong.
  public struct Phase: Sendable {
    /// How long it lasts.
    public var length: Duration

    /// Up to how much longer, uniformly by seed: so that no result depends on where a timer stands
    /// when the trouble ends.
    public var spread: Duration

    /// What is wrong.
    public var troubles: [Trouble]

    /// Makes a phase.
    public init(_ length: Duration, spread: Duration = .zero, _ troubles: Trouble...) {
      self.length = length
      self.spread = spread
      self.troubles = troubles
    }
  }
}

/// The calls of all clients together: a Poisson process, so that they come whether or not earlier
/// ones have been answered. (A closed loop of callers that wait would hide an overload.)
public struct Load: Sendable {
  /// How many calls a second.
  public enum Rate: Hashable, Sendable {
    /// All clients together.
    case total(Double)
    /// Each client.
    case perClient(Double)
  }

  /// How many calls a second; 400 by default, of the 500 that the default service can answer.
  public var rate: Rate = .total(400)

  /// How many keys there are; each call is for one of them, drawn evenly.
  public var keys = 1

  /// Which share of the calls is critical, and which sheddable; the others are normal.
  public var critical = 0.0
  /// Which share of the calls is sheddable.
  public var sheddable = 0.0

  /// Which share of the callers gives up.
  public var cancelling = 0.0
  /// Within which time they give up, uniformly.
  public var patience: Duration = .seconds(2)

  /// The load of most scenarios: 400 calls a second, one key, all normal, nobody gives up.
  public init() {}

  func criticality(of chance: Double) -> Criticality {
    if chance < critical { return .critical }
    return chance < critical + sheddable ? .sheddable : .normal
  }

  func callsPerSecond(clients: Int) -> Double {
    switch rate {
    case .total(let rate): rate
    case .perClient(let rate): rate * Double(clients)
    }
  }
}
