import ArgumentParser
import Foundation
import OrderFlow
import Resilience

@main
struct OrderFlowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order-flow",
    abstract:
      "Places orders through an outage, and shows what retries and a circuit breaker make of it.",
    discussion: """
      Starts a user service and an order service on ports that the system chooses, places orders \
      while the user service is healthy, flaky, broken and healthy again, then many at once, and \
      prints a line for each order, each retry and each change of the circuit. Exits with 1 if \
      anything went otherwise than it should.
      """)

  @Option(
    help: ArgumentHelp(
      "How many orders to place before the rush, \(Plan.smallest) to \(Plan.largest) (default: 40)."
    ))
  var orders: Int?

  @Option(
    help: "What orders and faults are made of: the same seed, the same of both (default: 1).")
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Make requests to the user service fail at random: from 0, none, to 1.", valueName: "rate"))
  var chaos: Double?

  @Flag(help: "Print a JSON object for each event, one a line.")
  var json = false

  @Flag(help: "Keep both services up to play with, until Ctrl-C.")
  var serve = false

  func validate() throws {
    if serve, orders != nil || seed != nil {
      throw ValidationError("--orders and --seed say what to order, and --serve orders nothing.")
    }
    if serve, chaos != nil {
      throw ValidationError("--chaos is for orders that are placed, and --serve orders nothing.")
    }
    if let chaos, !(0...1).contains(chaos) {
      throw ValidationError("--chaos must be from 0 to 1, and is \(chaos).")
    }
    if let orders, !(Plan.smallest...Plan.largest).contains(orders) {
      throw ValidationError(
        "--orders must be from \(Plan.smallest) to \(Plan.largest), and is \(orders).")
    }
  }

  func run() async throws {
    let timeline = Timeline(json ? .json : .text) { line in
      // Not print: its buffer holds lines back when the output is a pipe.
      FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
    if serve { try await play(timeline) } else { try await show(timeline) }
  }

  private func show(_ timeline: Timeline) async throws {
    let faults = FaultInjection.chaos(rate: chaos ?? 0, seed: seed ?? 1, observers: [timeline])
    let policies = UserPolicies(openFor: Demo.openFor, observer: timeline, faults: faults)
    let shop = try await Shop.open(policies: policies)
    var demo = Demo(
      shop: shop, timeline: timeline, plan: Plan(total: orders ?? 40), seed: seed ?? 1)
    let surprises = try await demo.run()
    await shop.close()
    guard surprises.isEmpty else {
      let lines = surprises.map { "order-flow: not as expected: \($0)\n" }.joined()
      FileHandle.standardError.write(Data(lines.utf8))
      throw ExitCode(1)
    }
  }

  private func play(_ timeline: Timeline) async throws {
    // Before the services are announced: whoever reads the announcement may stop them at once.
    let interruption = Interruption()
    let playground = try await Playground.open(timeline: timeline)
    timeline.add(playground.invitation)
    await interruption.arrives()
    await playground.close()
  }
}
