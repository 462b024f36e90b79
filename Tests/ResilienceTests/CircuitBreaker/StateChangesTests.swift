import ResilienceTesting
import Testing

@testable import Resilience

@Suite("CB-22: stateChanges", .timeLimit(.minutes(20)))
struct StateChangesTests {
  struct Mishap: Error {}

  typealias StateChange = CircuitBreaker.StateChange
  typealias State = CircuitBreaker.State

  private static func breaker(
    _ clock: VirtualClock = VirtualClock(), observers: [any ResilienceObserver] = []
  ) -> CircuitBreaker {
    CircuitBreaker(
      "users", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(10), probation: .zero), clock: clock, observers: observers)
  }

  /// Changes the state so many times.
  private static func change(_ breaker: CircuitBreaker, times: Int) {
    for _ in 0..<times { breaker.state == .closed ? breaker.isolate() : breaker.reset() }
  }

  private static func read(
    _ count: Int, of iterator: inout CircuitBreaker.StateChanges.AsyncIterator
  ) async -> [StateChange] {
    var changes: [StateChange] = []
    while changes.count < count, let change = await iterator.next() { changes.append(change) }
    return changes
  }

  private static func subscribers(of breaker: CircuitBreaker) -> Int {
    breaker.shared.withLock { $0.subscribers.count }
  }

  @Test("every change from the subscription on, in order, each once, until the breaker is gone")
  func order() async throws {
    try await withVirtualTime { clock in
      var breaker: CircuitBreaker? = Self.breaker(clock)
      breaker?.isolate()
      breaker?.reset()
      guard let changes = breaker?.stateChanges else { return }
      async let read = changes.reduce(into: [StateChange]()) { $0.append($1) }
      await clock.advance(by: .zero)
      try? await breaker?.run { throw Mishap() }
      await clock.advance(by: .seconds(10))
      try? await breaker?.run { throw Mishap() }
      await clock.advance(by: .seconds(10))
      try await breaker?.run {}
      breaker = nil
      let all = await read
      #expect(
        all.map(\.description) == [
          "closed > open (consecutive failures)", "open > half-open (open period ended)",
          "half-open > open (probe failed)", "open > half-open (open period ended)",
          "half-open > closed (probes succeeded)",
        ])
      #expect(all.map(\.generation) == [3, 4, 5, 6, 7])
      #expect(all.map(\.missed) == [0, 0, 0, 0, 0])
      #expect(all[0].counts == .init(failures: 1, consecutiveFailures: 1))
      #expect(all[4].counts == .init(successes: 1, consecutiveSuccesses: 1))
      #expect(all.map { $0.openUntil?.isExpired } == [true, nil, true, nil, nil])
    }
  }

  @Test("what opens says until when, on the breaker's clock")
  func openUntil() async {
    let clock = VirtualClock()
    let breaker = Self.breaker(clock)
    var iterator = breaker.stateChanges.makeAsyncIterator()
    breaker.trip(for: .seconds(7))
    await clock.advance(by: .seconds(3))
    #expect(await iterator.next()?.openUntil?.remaining == .seconds(4))
  }

  @Test("a reader that falls behind loses the oldest, and is told how many")
  func missed() async {
    let breaker = Self.breaker()
    var iterator = breaker.stateChanges.makeAsyncIterator()
    Self.change(breaker, times: 64)
    let first = await Self.read(64, of: &iterator)
    #expect(first.map(\.missed) == Array(repeating: 0, count: 64))
    Self.change(breaker, times: 100)
    let second = await Self.read(64, of: &iterator)
    #expect(second.map(\.missed) == [36] + Array(repeating: 0, count: 63))
    #expect(second.map(\.generation) == Array(101...164))
    Self.change(breaker, times: 65)
    #expect(await iterator.next()?.missed == 1)
    Self.change(breaker, times: 2)
    #expect(await iterator.next()?.missed == 1)
  }

  @Test("several readers: each gets everything, and a slow one slows nobody")
  func readers() async {
    let breaker = Self.breaker()
    var (quick, slow) = (
      breaker.stateChanges.makeAsyncIterator(), breaker.stateChanges.makeAsyncIterator()
    )
    #expect(Self.subscribers(of: breaker) == 2)
    var generations: [UInt64] = []
    for _ in 1...100 {
      Self.change(breaker, times: 1)
      if let change = await quick.next() { generations.append(change.generation) }
    }
    #expect(generations == Array(1...100))
    #expect(await slow.next()?.missed == 36)
  }

  @Test("a subscription does not see what happened before it, not even what is announced after it")
  func late() async {
    final class Subscription: ResilienceObserver {
      let content = Lock<(breaker: CircuitBreaker?, changes: CircuitBreaker.StateChanges?)>(
        (nil, nil))

      func observe(_ event: any ResilienceEvent) {
        guard let breaker = content.withLock({ $0.breaker.take() }) else { return }
        breaker.trip()
        let changes = breaker.stateChanges
        content.withLock { $0.changes = changes }
        breaker.reset()
      }
    }
    let subscription = Subscription()
    let breaker = Self.breaker(observers: [subscription])
    breaker.isolate()
    breaker.reset()
    subscription.content.withLock { $0.breaker = breaker }
    breaker.isolate()
    var iterator = subscription.content.withLock { $0.changes.take() }?.makeAsyncIterator()
    let change = await iterator?.next()
    #expect(change?.description == "open > closed (manual)")
    #expect(change?.generation == 5)
    #expect(change?.missed == 0)
  }
}

// MARK: - How it ends

extension StateChangesTests {
  @Test("a sequence does not keep its breaker, and ends with it after what is still unread")
  func endsWithBreaker() async {
    var breaker: CircuitBreaker? = Self.breaker()
    weak let gone = breaker
    let changes = breaker?.stateChanges
    var iterator = changes?.makeAsyncIterator()
    breaker?.isolate()
    breaker = nil
    #expect(gone == nil)
    #expect(await iterator?.next()?.to == .isolated)
    #expect(await iterator?.next() == nil)
    #expect(await iterator?.next() == nil)
  }

  @Test("the end of a reader's task ends its subscription, waiting or not")
  func cancelled() async throws {
    try await withVirtualTime { clock in
      var breaker: CircuitBreaker? = Self.breaker(clock)
      weak let gone = breaker
      await withTaskGroup(of: Int.self) { group in
        for _ in 1...3 {
          guard let changes = breaker?.stateChanges else { return }
          group.addTask { await changes.reduce(0) { count, _ in count + 1 } }
        }
        await clock.advance(by: .zero)
        breaker?.isolate()
        await clock.advance(by: .zero)
        #expect(breaker.map(Self.subscribers) == 3)
        group.cancelAll()
        #expect(await group.reduce(0, +) == 3)
      }
      #expect(breaker.map(Self.subscribers) == 0)
      breaker?.reset()
      breaker = nil
      #expect(gone == nil)
    }
  }

  @Test("a sequence that nobody keeps ends its subscription")
  func dropped() async {
    let breaker = Self.breaker()
    for _ in 1...1000 { _ = breaker.stateChanges }
    #expect(Self.subscribers(of: breaker) == 0)
    do {
      let changes = breaker.stateChanges
      #expect(Self.subscribers(of: breaker) == 1)
      breaker.isolate()
      for await change in changes {
        #expect(change.to == .isolated)
        break
      }
    }
    #expect(Self.subscribers(of: breaker) == 0)
  }
}

// MARK: - Threads

extension StateChangesTests {
  /// Notices when two callbacks overlap.
  final class Turnstile: ResilienceObserver {
    let inside = Lock(0)
    let changes = Lock<[StateChange]>([])
    let calls = Lock<[String: Int]>([:])

    func observe(_ event: any ResilienceEvent) {
      #expect(
        inside.withLock {
          $0 += 1; return $0
        } == 1)
      defer { inside.withLock { $0 -= 1 } }
      guard let kind = (event as? CircuitBreaker.Event)?.kind else { return }
      guard case .stateChanged(let change) = kind else {
        let name = String("\(kind)".prefix { $0 != " " })
        return calls.withLock { $0[name, default: 0] += 1 }
      }
      changes.withLock { $0.append(change) }
    }
  }

  @Test("under threads: one callback at a time, changes in one order, each event exactly once")
  func threads() async throws {
    let turnstile = Turnstile()
    let breaker = Self.breaker(observers: [turnstile])
    var iterator = breaker.stateChanges.makeAsyncIterator()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(task))
          for _ in 0..<250 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0: breaker.trip()
            case 1: breaker.trip(for: .zero)
            case 2: breaker.isolate()
            case 3: breaker.observe()
            case 4: breaker.tryAcquire()?.ignore()
            case 5, 6: breaker.reset()
            case 7, 8: try? await breaker.run { throw Mishap() }
            default: try? await breaker.run { await Task.yield() }
            }
          }
        }
      }
    }
    // What the last turns have left.
    for _ in 0..<200 { breaker.tryAcquire()?.ignore() }
    let changes = turnstile.changes.withLock { $0 }
    let calls = turnstile.calls.withLock { $0 }
    let snapshot = breaker.snapshot()
    #expect(changes.map(\.generation) == Array(1...snapshot.generation))
    #expect(changes.map(\.from) == [.closed] + changes.dropLast().map(\.to))
    #expect(changes.last?.to == snapshot.state)
    #expect(calls["rejected"] == snapshot.totals.rejected)
    #expect(calls["late", default: 0] == snapshot.totals.late)
    #expect(calls["succeeded"] == snapshot.totals.successes)
    #expect(calls["failed"] == snapshot.totals.failures)
    #expect(calls["ignored"] == snapshot.totals.ignored)
    let ended = ["succeeded", "failed", "ignored", "late"].map { calls[$0, default: 0] }
    #expect(calls["admitted"] == ended.reduce(0, +))
    let unread = await Self.read(64, of: &iterator)
    #expect(unread.map(\.generation) == changes.suffix(64).map(\.generation))
    #expect(unread.first?.missed == changes.count - 64)
  }

  @Test("a breaker that a person isolated stays isolated, whatever calls do (resilience4j D2)")
  func isolatedStays() async throws {
    for round in 0..<100 {
      let clock = VirtualClock()
      let turnstile = Turnstile()
      let breaker = CircuitBreaker(
        "users", tripping: .consecutiveFailures(1), over: .sinceTransition,
        recovery: .init(openFor: .constant(.nanoseconds(1)), probes: 2, probation: .zero),
        clock: clock, observers: round % 2 == 0 ? [turnstile] : [])
      await withTaskGroup(of: Void.self) { group in
        for task in 0..<3 {
          group.addTask {
            for step in 0..<20 {
              try? await breaker.run {
                clock.advance(by: .nanoseconds(1))
                if (step + task) % 3 == 0 { throw Mishap() }
              }
            }
          }
        }
        group.addTask {
          for _ in 0..<(round % 8) { await Task.yield() }
          if round % 3 == 0 { breaker.trip(for: .zero) }
          breaker.isolate()
          #expect(breaker.state == .isolated)
        }
      }
      await clock.advance(by: .seconds(1))
      breaker.tryAcquire()?.succeed()
      #expect(breaker.state == .isolated)
      if round % 2 == 0 { #expect(turnstile.changes.withLock { $0.last?.to } == .isolated) }
    }
  }
}
