import Foundation
import OrderFlow
import Testing

@Suite("The command")
struct CommandTests {
  /// The program, which is built next to the tests.
  private static let program = URL(filePath: CommandLine.arguments[0])
    .deletingLastPathComponent().appending(path: "order-flow")

  private struct Run {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()

    init(_ arguments: [String]) throws {
      process.executableURL = CommandTests.program
      process.arguments = arguments
      process.standardOutput = output
      process.standardError = errors
      try process.run()
    }

    func finish() -> (status: Int32, output: String, errors: String) {
      let read = { (pipe: Pipe) in
        String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      }
      let texts = (read(output), read(errors))
      process.waitUntilExit()
      return (process.terminationStatus, texts.0, texts.1)
    }
  }

  @Test(
    "refuses what it cannot do, with a message",
    arguments: [
      (["--orders", "23"], "--orders must be from 24 to 1000, and is 23."),
      (["--orders", "1001"], "--orders must be from 24 to 1000, and is 1001."),
      (["--orders=-1"], "--orders must be from 24 to 1000, and is -1."),
      (["--orders", "many"], "The value 'many' is invalid for '--orders <orders>'"),
      (["--seed=-1"], "The value '-1' is invalid for '--seed <seed>'"),
      (["--serve", "--orders", "40"], "--orders and --seed say what to order"),
      (["--chaos=-0.1"], "--chaos must be from 0 to 1, and is -0.1."),
      (["--chaos", "1.01"], "--chaos must be from 0 to 1, and is 1.01."),
      (["--chaos", "nan"], "--chaos must be from 0 to 1, and is nan."),
      (["--chaos", "much"], "The value 'much' is invalid for '--chaos <rate>'"),
      (["--serve", "--chaos", "0.2"], "--chaos is for orders that are placed"),
    ])
  func badArguments(arguments: [String], message: String) throws {
    let result = try Run(arguments).finish()
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errors.contains(message))
  }

  @Test("serves until it is interrupted, and ends with 0", arguments: [SIGINT, SIGTERM])
  func serves(signal: Int32) async throws {
    let run = try Run(["--serve", "--json"])
    defer { run.process.terminate() }
    let line = run.output.fileHandleForReading.availableData
    let services = try JSONDecoder().decode(Services.self, from: line)
    let customer = Browser(services.orderService)
    #expect(try await customer.order(by: 1).status == 201)
    let control = Browser(services.control)
    #expect(try await control.post("/outage", #"{"mode": "refusing"}"#).status == 200)
    #expect(try await customer.order(by: 1).body.contains("refused the connection"))
    kill(run.process.processIdentifier, signal)
    let result = run.finish()
    #expect(result.status == 0)
    #expect(run.process.terminationReason == .exit)
    #expect(result.errors == "")
  }

  private struct Services: Decodable {
    let orderService: URL
    let control: URL
  }
}
