import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("Service")
struct ServiceTests {
  // MARK: - Workers and the queue

  @Test("requests are answered first come first served, as many at a time as there are workers")
  func workers() async throws {
    let answers = try await withVirtualTime { clock in
      await ServiceBench(.steady(workers: 2), on: clock).answers(to: 5)
    }
    #expect(answers == [.served(10), .served(10), .served(20), .served(20), .served(30)])
  }

  @Test("who finds the queue full is refused at once")
  func queueLimit() async throws {
    let answers = try await withVirtualTime { clock in
      await ServiceBench(.steady(queueLimit: 2), on: clock).answers(to: 5)
    }
    #expect(
      answers == [.served(10), .served(20), .served(30), .overloaded(0), .overloaded(0)])
  }

  @Test("a queue of thousands keeps its order")
  func longQueue() async throws {
    let answers = try await withVirtualTime { clock in
      await ServiceBench(.steady(queueLimit: 5_000), on: clock).answers(to: 3_000)
    }
    #expect(answers == (1...3_000).map { .served(10 * $0) })
  }

  @Test("work is done to the end when its client has hung up, and was wasted")
  func abandoned() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      let (abandoned, waiting) = (bench.send(), bench.send())
      try await clock.sleep(for: .milliseconds(3))
      abandoned.cancel()
      #expect(await abandoned.value == .cancelled(3))
      #expect(await waiting.value == .served(20))
      #expect(bench.calls.attempts == 2)
      #expect(bench.calls.completions == 2)
      #expect(bench.calls.wasted == 1)
      #expect(bench.service.isIdle)
    }
  }

  @Test("so is work whose client has hung up while it waited in the queue")
  func abandonedInTheQueue() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      let tasks = (0..<3).map { _ in bench.send() }
      try await clock.sleep(for: .milliseconds(3))
      tasks[1].cancel()
      #expect(await tasks[2].value == .served(30))
      #expect(bench.calls.completions == 3)
      #expect(bench.calls.wasted == 1)
    }
  }

  @Test("who has hung up before sending gets no answer, but the request is on its way")
  func cancelledBefore() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      let task = bench.send()
      task.cancel()
      #expect(await task.value == .cancelled(0))
      try await clock.sleep(for: .milliseconds(20))
      #expect(bench.calls.wasted == 1)
    }
  }

  // MARK: - Capacity

  @Test("at half of its capacity work takes twice as long; what is begun keeps its pace")
  func capacity() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      let first = bench.send()
      try await clock.sleep(for: .milliseconds(5))
      bench.meet(.capacity(0.5))
      let second = bench.send()
      #expect(await first.value == .served(10))
      #expect(await second.value == .served(30))
      bench.meet()
      #expect(await bench.answers(to: 1) == [.served(40)])
    }
  }

  @Test("a cold service warms with the work it has done")
  func warming() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      bench.meet(.warming(from: 0.25, over: 3))
      // Shares of 1/4, 1/2, 3/4 and 1.
      let times = await bench.answers(to: 5).map(\.time.saturatingNanoseconds)
      #expect(
        times == [40_000_000, 60_000_000, 73_333_333, 83_333_333, 93_333_333])
    }
  }

  @Test("two troubles with the capacity multiply")
  func capacities() async throws {
    let answers = try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      bench.meet(.capacity(0.5), .capacity(0.5))
      return await bench.answers(to: 1)
    }
    #expect(answers == [.served(40)])
  }

  // MARK: - Troubles

  @Test("a silent service never answers, and no worker is busy with it")
  func silence() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      bench.meet(.silence(keys: 1..<2))
      let unheard = bench.send(Request(client: 0, key: 1))
      #expect(await bench.answers(to: 1) == [.served(10)])
      try await clock.sleep(for: .seconds(3_600))
      #expect(bench.service.isIdle)
      unheard.cancel()
      #expect(await unheard.value == .cancelled(3_600_010))
      #expect(bench.calls.attempts == 2)
    }
  }

  @Test("a share of the requests fails, after its time and without a worker")
  func failing() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(.steady(workers: 2_000), on: clock)
      bench.meet(.failing(0.25, after: .milliseconds(3)))
      let answers = await bench.answers(to: 2_000)
      let failed = answers.count { $0 == .failed(3) }
      #expect(answers.count { $0 == .served(10) } == 2_000 - failed)
      // Four standard errors.
      #expect(abs(failed - 500) < 78)
      #expect(bench.calls.completions == 2_000 - failed)
    }
  }

  @Test("only the keys of a trouble fail")
  func failingKeys() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      bench.meet(.failing(keys: 2..<3))
      #expect(!bench.service.serves(Request(client: 0, key: 2)))
      #expect(bench.service.serves(Request(client: 0, key: 3)))
      #expect(await bench.answers(to: 1, Request(client: 0, key: 2)) == [.failed(2)])
      #expect(await bench.answers(to: 1, Request(client: 0, key: 3)) == [.served(12)])
    }
  }

  @Test("a service that flaps fails for a period, is well for the next, and so on")
  func flapping() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      try await clock.sleep(for: .milliseconds(300))
      bench.meet(.flapping(every: .seconds(1)))
      var kinds: [Answer.Kind] = []
      for _ in 0..<8 {
        kinds += await bench.answers(to: 1).map(\.kind)
        let next = (clock.now.offset.saturatingNanoseconds / 500_000_000 + 1) * 500_000_000
        try await clock.sleep(until: .init(offset: .nanoseconds(next)))
      }
      // At 0.3, 0.5, 1, 1.5 s and so on; it began to flap at 0.3 s.
      #expect(
        kinds == [.failed, .failed, .failed, .served, .served, .failed, .failed, .served])
    }
  }

  @Test("an answer that is late on its way keeps no worker")
  func stragglers() async throws {
    let answers = try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      bench.meet(.stragglers(1, delay: .milliseconds(300)))
      return await bench.answers(to: 3)
    }
    #expect(answers == [.served(310), .served(320), .served(330)])
  }

  @Test("the first of several rules that says something decides")
  func rules() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      bench.meet(
        .custom("silent") { _, elapsed, _ in elapsed < .seconds(1) ? .ignore : nil },
        .failing(1)
      )
      let unheard = bench.send()
      try await clock.sleep(for: .seconds(1))
      #expect(await bench.answers(to: 1) == [.failed(1_002)])
      unheard.cancel()
    }
  }

  @Test("nothing is answered in a pause; what was due in it is at its end")
  func pauses() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      let tasks = (0..<2).map { _ in bench.send() }
      try await clock.sleep(for: .milliseconds(5))
      bench.service.pause(until: .init(offset: .milliseconds(500)))
      // A shorter pause within it changes nothing.
      bench.service.pause(until: .init(offset: .milliseconds(100)))
      bench.meet(.failing(1))
      let failing = bench.send()
      #expect(await tasks[0].value == .served(500))
      #expect(await tasks[1].value == .served(510))
      #expect(await failing.value == .failed(500))
    }
  }

  @Test("a pause may be prolonged while it lasts")
  func prolongedPause() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock)
      let task = bench.send()
      bench.service.pause(until: .init(offset: .milliseconds(100)))
      try await clock.sleep(for: .milliseconds(50))
      bench.service.pause(until: .init(offset: .milliseconds(200)))
      #expect(await task.value == .served(200))
    }
  }

  // MARK: - Questions

  @Test("a question about a request changes nothing for those that come")
  func questions() async throws {
    func answers(asking: Bool) async throws -> [Answer] {
      try await withVirtualTime { clock in
        let bench = ServiceBench(on: clock)
        bench.meet(.failing(0.5))
        if asking {
          _ = bench.service.serves(Request(client: 0))
          _ = bench.service.wouldAnswer(Request(client: 0), within: .seconds(1))
        }
        return await bench.answers(to: 50)
      }
    }
    #expect(try await answers(asking: true) == answers(asking: false))
  }

  @Test("whether a request would be answered in time depends on the queue, capacity and delay")
  func wouldAnswer() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(.steady(queueLimit: 3), on: clock)
      let request = Request(client: 0)
      func shortest() -> Int? {
        (0...100).first { bench.service.wouldAnswer(request, within: .milliseconds($0)) }
      }
      #expect(shortest() == 10)
      let tasks = (0..<3).map { _ in bench.send() }
      try await clock.sleep(for: .milliseconds(1))
      #expect(shortest() == 30)
      bench.meet(.capacity(0.5))
      #expect(shortest() == 60)
      bench.meet(.stragglers(1, delay: .milliseconds(7)))
      #expect(shortest() == 37)
      bench.meet(.silence())
      #expect(shortest() == nil)
      bench.meet()
      let last = bench.send()
      try await clock.sleep(for: .milliseconds(1))
      #expect(shortest() == nil)
      for task in tasks + [last] { _ = await task.value }
    }
  }

  @Test("a service without a queue answers who finds a free worker")
  func withoutQueue() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(.steady(queueLimit: 0), on: clock)
      let request = Request(client: 0)
      #expect(bench.service.wouldAnswer(request, within: .milliseconds(10)))
      let answers = await bench.answers(to: 2)
      #expect(answers == [.served(10), .overloaded(0)])
    }
  }
}
