// Times ten virtual minutes of the first failure scenario, in one run.
//
//     simulation-timing [rounds] [clients]

import ResilienceSimulation

/// Ten minutes from the first call to the last, in which the brownout is.
func tenMinutes() -> Scenario {
  var scenario = Scenario.brownout()
  scenario.name = "ten minutes with a brownout"
  for index in scenario.phases.indices { scenario.phases[index].spread = .zero }
  let troubled = scenario.phases.reduce(Duration.zero) { $0 + $1.length }
  scenario.watch = .seconds(600) - scenario.warmUp - troubled
  return scenario
}

let arguments = CommandLine.arguments.dropFirst().compactMap(Int.init)
let rounds = max(1, arguments.first ?? 5)
let clients = arguments.dropFirst().first ?? 20

for stack in [Stack.bare, .recommended] {
  var seconds: [Double] = []
  var digests: Set<UInt64> = []
  var calls = 0
  for _ in 0..<rounds {
    let start = ContinuousClock.now
    let result = try await Trial(tenMinutes(), stack, clients: clients).run()
    seconds.append((ContinuousClock.now - start) / .seconds(1))
    digests.insert(result.digest)
    calls = result.calls().offered
  }
  let median = seconds.sorted()[rounds / 2]
  let hundredths = Int((median * 100).rounded())
  let nanoseconds = Int((median * 1e9 / Double(calls)).rounded())
  print(
    "\(stack.name): \(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s,",
    "\(calls) calls of \(nanoseconds) ns each,",
    digests.count == 1 ? "the same each time" : "NOT THE SAME EACH TIME")
  precondition(digests.count == 1)
}
