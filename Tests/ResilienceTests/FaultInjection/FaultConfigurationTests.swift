import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Fault injection: configuration", .timeLimit(.minutes(20)))
struct FaultConfigurationTests {
  typealias Configuration = FaultInjection.Configuration
  typealias Fault = FaultInjection.Fault

  static let mistakes: [(fault: Fault, complaint: String)] =
    [-0.1, 1.nextUp, .infinity, .nan].flatMap { rate -> [(Fault, String)] in
      let complaint = "faults[0] rate is \(rate); allowed: at least 0, at most 1"
      return [
        (.error(rate: rate) { Injected() }, complaint), (.result(1, rate: rate), complaint),
        (.latency(.seconds(1), rate: rate), complaint), (.hang(rate: rate), complaint),
      ]
    }
    + [Duration.zero, .seconds(-1), Duration(attoseconds: .min)].map {
      (.latency($0, rate: 1), "faults[0] latency is \($0); allowed: above zero")
    }
    + [0, -1, Int.min].map { call in
      (.error(onCall: call) { Injected() }, "faults[0] onCall is \(call); allowed: 1...")
    }

  @Test("FI-1: `validate()` names the fault, the value and the range")
  func oneMistake() {
    for mistake in Self.mistakes {
      let error = #expect(throws: ConfigurationError.self) {
        try Configuration([mistake.fault]).validate()
      }
      #expect(error?.violations.map(\.description) == [mistake.complaint])
    }
  }

  @Test("FI-1: `validate()` lists everything that is wrong at once")
  func everything() {
    let configuration = Configuration([
      .hang(rate: 2), .hang(rate: 1), .latency(.zero, rate: -1),
    ])
    let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error?.violations.map(\.description) == [
        "faults[0] rate is 2.0; allowed: at least 0, at most 1",
        "faults[2] rate is -1.0; allowed: at least 0, at most 1",
        "faults[2] latency is 0.0 seconds; allowed: above zero",
      ])
  }

  @Test("FI-1: what makes sense is allowed")
  func valid() throws {
    try Configuration([]).validate()
    try Configuration([
      .hang(rate: 0), .hang(rate: 1), .latency(Duration(attoseconds: 1), rate: 0.5),
      .latency(Duration(attoseconds: .max), rate: 0), .error(onCall: .max) { Injected() },
    ]).validate()
  }

  @Test("FI-1: a mistake in source code stops the program and says what it is")
  func stops() async {
    for make in 0..<3 {
      let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [make = make as Int] in
        switch make {
        case 0: _ = FaultInjection("fault-injection", [.hang(rate: 2)])
        case 1: _ = FaultInjection([.hang(rate: 2)])
        default: FaultInjection([]).setFaults([.hang(rate: 2)])
        }
      }
      let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      #expect(
        output.contains(
          "Fatal error: FaultInjection \"fault-injection\": "
            + "faults[0] rate is 2.0; allowed: at least 0, at most 1\n"))
    }
  }

  @Test("FI-1: settings are the same, one by one and in one value")
  func initializers() {
    let faults: [Fault] = [.hang(rate: 0.5), .latency(.seconds(1), rate: 1)]
    for isEnabled in [true, false] {
      let configuration = Configuration(faults, isEnabled: isEnabled)
      let policies = [
        FaultInjection(configuration: configuration), FaultInjection(faults, isEnabled: isEnabled),
        FaultInjection("fault-injection", faults, isEnabled: isEnabled),
      ]
      for policy in policies {
        #expect(policy.name == "fault-injection")
        #expect(policy.isEnabled == isEnabled)
        #expect(policy.layers.map(\.settings) == ["\(configuration)"])
        #expect(policy.faults.map(\.description) == faults.map(\.description))
      }
    }
  }
}
