import Testing

@testable import Resilience

@Suite("Bulkhead: settings")
struct BulkheadConfigurationTests {
  private static func mistakes(in configuration: Bulkhead.Configuration) -> [String] {
    do throws(ConfigurationError) {
      try configuration.validate()
      return []
    } catch {
      return error.violations.map { "\($0)" }
    }
  }

  @Test("what is wrong is listed at once")
  func violations() {
    #expect(
      Self.mistakes(in: .init(limit: 0, queue: -1, maxWait: .nanoseconds(-1))) == [
        "limit is 0; allowed: 1...", "queue is -1; allowed: 0...",
        "maxWait is -1e-09 seconds; allowed: zero or more",
      ])
    #expect(Self.mistakes(in: .init(limit: .min)) == ["limit is \(Int.min); allowed: 1..."])
  }

  @Test("what can work is valid, at its extremes too")
  func valid() {
    let configurations: [Bulkhead.Configuration] = [
      .init(limit: 1), .init(limit: .max, queue: .max, maxWait: Duration(attoseconds: .max)),
      .init(limit: 1, maxWait: .zero, order: .newestFirst), .init(limit: 1, order: .priority),
    ]
    for configuration in configurations { #expect(Self.mistakes(in: configuration) == []) }
  }

  @Test("a mistake in source code stops the program, and says what is allowed")
  func stops() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Bulkhead("users", limit: 0, queue: -1)
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("Bulkhead \"users\""))
    #expect(output.contains("limit is 0; allowed: 1..."))
    #expect(output.contains("queue is -1; allowed: 0..."))
  }

  @Test("so does a limit that is set to what cannot work")
  func stopsLater() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      Bulkhead("users", limit: 1).limit = 0
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("Bulkhead \"users\": limit is 0; allowed: 1..."))
  }

  @Test("PL-2: a bulkhead is a layer with its settings in words")
  func layers() {
    #expect(
      Bulkhead(limit: 25).layers
        == [PolicyLayer(role: .bulkhead, name: "bulkhead", settings: "25 at a time, no queue")])
    let orders: [Bulkhead.Order] = [.fifo, .newestFirst, .priority]
    #expect(
      orders.map { Bulkhead("b", limit: 2, queue: 3, order: $0).layers.map(\.settings) } == [
        ["2 at a time, a queue of 3 for up to 1.0 seconds, first in, first out"],
        ["2 at a time, a queue of 3 for up to 1.0 seconds, newest first"],
        ["2 at a time, a queue of 3 for up to 1.0 seconds, by priority"],
      ])
  }

  @Test("both ways to make one make the same")
  func initializers() {
    let settings = Bulkhead.Configuration(
      limit: 7, queue: 8, maxWait: .seconds(9), order: .priority)
    let one = Bulkhead("b", limit: 7, queue: 8, maxWait: .seconds(9), order: .priority)
    #expect(one.layers == Bulkhead("b", configuration: settings).layers)
    #expect(one.snapshot() == Bulkhead("b", configuration: settings).snapshot())
    #expect(
      Bulkhead(limit: 1).layers == Bulkhead(configuration: .init(limit: 1)).layers)
  }
}
