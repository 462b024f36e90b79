import Dispatch
import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("What a stack must not be made of")
struct AuditTests {
  private static func error(_ stack: Stack, hops: Int = 1) async -> SimulationError? {
    var scenario = Scenario.brief
    scenario.hops = hops
    do {
      _ = try await Trial(scenario, stack, clients: 2).run()
      return nil
    } catch let error as SimulationError {
      return error
    } catch {
      Issue.record(error)
      return nil
    }
  }

  @Test(
    "a policy on the real clock ends the trial",
    arguments: [
      Stack("breaker") { CircuitBreaker("service", seed: $0.seed()) },
      Stack("timeout") { Timeout($0.attemptTimeout) },
      Stack("hedge") { _ in Hedge() },
      Stack("limiter") { _ in AdaptiveLimiter() },
      Stack("bulkhead") { _ in Bulkhead(limit: 1) },
      Stack("budget") { Retry(budget: RetryBudget(), clock: $0.clock, seed: $0.seed()) },
    ])
  func realClock(_ stack: Stack) async {
    #expect(await Self.error(stack) == .realClock(stack: stack.name))
  }

  @Test(
    "so does one that draws from the system's chance",
    arguments: [
      Stack("breaker") { CircuitBreaker("service", clock: $0.clock) },
      Stack("retry") { Retry(clock: $0.clock) },
      Stack("throttle") { Throttle(clock: $0.clock) },
    ])
  func realChance(_ stack: Stack) async {
    #expect(await Self.error(stack) == .realChance(stack: stack.name))
  }

  @Test("a policy that uses neither may be made without them")
  func fine() async {
    let stack = Stack("fine") { client in
      Pipeline {
        Timeout(client.attemptTimeout, clock: client.clock)
        CircuitBreaker("service", clock: client.clock, seed: client.seed())
      }
    }
    #expect(await Self.error(stack, hops: 2) == nil)
  }

  /// Breakers that are made when the first request comes.
  private static func late(
    _ name: String, onHop hop: Int = 0,
    _ make: @escaping @Sendable (Client) -> CircuitBreaker
  ) -> Stack {
    Stack(
      name,
      routing: { client in
        let keyed = Keyed<Int, CircuitBreaker> { _ in make(client) }
        return { request in
          guard client.hop == hop else { return Direct() }
          return keyed[request.key]
        }
      })
  }

  @Test("policies that are made during the trial are found, before any hop", arguments: 0...2)
  func lateOnes(_ hop: Int) async {
    let realClock = Self.late("clock", onHop: hop) { CircuitBreaker("late", seed: $0.seed()) }
    #expect(await Self.error(realClock, hops: 3) == .realClock(stack: "clock"))
    let realChance = Self.late("chance", onHop: hop) { CircuitBreaker("late", clock: $0.clock) }
    #expect(await Self.error(realChance, hops: 3) == .realChance(stack: "chance"))
  }

  /// A service's policy that makes its breaker when the first request comes.
  private struct LateGuardian: ConcurrentPolicy {
    let breakers = Keyed<Int, CircuitBreaker> { _ in CircuitBreaker("late", seed: 1) }

    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await breakers[0].execute(execution, concurrently: operation)
    }
  }

  @Test("also those of the service")
  func lateGuardian() async {
    let stack = Stack.direct.guarded("guarded") { _ in LateGuardian() }
    #expect(await Self.error(stack) == .realClock(stack: "guarded"))
  }

  @Test("trials that run at the same time are told apart")
  func concurrent() async {
    async let bad = Self.error(Self.late("bad") { CircuitBreaker("late", seed: $0.seed()) })
    async let good = Self.error(.recommended)
    #expect(await bad == .realClock(stack: "bad"))
    #expect(await good == nil)
  }

  /// Is woken by another thread, while the simulation's stands still: later it might be over.
  private struct Escaping: ConcurrentPolicy {
    let clock: VirtualClock

    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      await withCheckedContinuation { continuation in
        // When this task is suspended: before, nobody would have to wake it.
        _ = clock.schedule(at: clock.now) {
          let isWoken = DispatchSemaphore(value: 0)
          DispatchQueue.global().async {
            continuation.resume()
            isWoken.signal()
          }
          isWoken.wait()
        }
      }
      return try await operation(execution)
    }
  }

  @Test("a stack that leaves the simulation ends the trial")
  func outside() async {
    let error = await Self.error(Stack("escaping") { Escaping(clock: $0.clock as! VirtualClock) })
    guard case .outsideEvents(stack: "escaping", let count) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(count > 0)
  }

  @Test("an error says what to do about it")
  func descriptions() {
    #expect(
      SimulationError.realClock(stack: "mine").description
        == "Stack \"mine\" makes a policy on the real clock; give each of them client.clock.")
    #expect(SimulationError.realChance(stack: "mine").description.hasSuffix("client.seed()."))
    #expect(
      SimulationError.outsideEvents(stack: "mine", count: 3).description.contains("3 times"))
  }
}
