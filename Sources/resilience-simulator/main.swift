import ResilienceSimulation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#endif

let terminal = Terminal()
let simulator = Simulator(
  choices: Choices(scenarios: FailureScenario.all, stacks: Stack.known),
  output: { text in
    terminal.clearProgress()
    print(text, terminator: "")
  },
  errors: { terminal.sayError($0) }, progress: { terminal.showProgress($0) })
let code = await simulator.run(Array(CommandLine.arguments.dropFirst()))
exit(code.rawValue)
