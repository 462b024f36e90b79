import Resilience
import ResilienceTesting
import Testing

@Suite("DL-1: deadlines", .timeLimit(.minutes(20)))
struct DeadlineTests {
  struct Mishap: Error {}
  struct Token: ~Copyable {
    var number: Int
  }

  static let extremes: [Duration] = [
    Duration(attoseconds: .max), Duration(attoseconds: .min), .seconds(Int64.max),
    .seconds(Int64.min), Duration(attoseconds: 1), Duration(attoseconds: -1), .zero,
    .nanoseconds(Int64.max), .nanoseconds(Int64.min),
  ]

  /// What a deadline can say at most.
  static let longest = Duration.nanoseconds(Int64.max)

  let clock = VirtualClock()

  @Test("what remains is read on its own clock, and ends at zero")
  func remaining() {
    let deadline = Deadline(in: .seconds(5), clock: clock)
    var readings: [Duration] = []
    for _ in 0..<7 {
      readings.append(deadline.remaining)
      clock.advance(by: .seconds(1))
    }
    #expect(readings == [5, 4, 3, 2, 1, 0, 0].map { .seconds($0) })
  }

  @Test("it has passed at exactly its instant, and a nanosecond before it has not")
  func instant() {
    let deadline = Deadline(in: .seconds(5), clock: clock)
    #expect(!deadline.isExpired)
    clock.advance(by: .seconds(5) - .nanoseconds(1))
    #expect(!deadline.isExpired)
    #expect(deadline.remaining == .nanoseconds(1))
    clock.advance(by: .nanoseconds(1))
    #expect(deadline.isExpired)
    #expect(deadline.remaining == .zero)
    clock.advance(by: .seconds(1_000_000))
    #expect(deadline.isExpired)
    #expect(deadline.description == "in 0.0 seconds")
  }

  @Test("no duration traps, and none wraps around", arguments: extremes)
  func saturates(_ duration: Duration) async throws {
    for passed in [Duration.zero, .seconds(1), Self.longest, Duration(attoseconds: .max)] {
      let clock = VirtualClock()
      let early = Deadline(in: duration, clock: clock)
      await clock.advance(by: passed)
      let late = Deadline(in: duration, clock: clock)
      for deadline in [early, late] {
        #expect(deadline.remaining >= .zero)
        #expect(deadline.remaining <= Self.longest)
        #expect(deadline.isExpired == (deadline.remaining == .zero))
        #expect(try await deadline.run { Deadline.current?.remaining } == deadline.remaining)
      }
    }
  }

  @Test("a duration that is zero or negative has passed already")
  func passed() {
    for duration in [Duration.zero, .nanoseconds(-1), .seconds(-1), Duration(attoseconds: .min)] {
      #expect(Deadline(in: duration, clock: clock).isExpired)
    }
  }

  @Test("there is none unless a caller set one, and it ends with its scope")
  func scope() async throws {
    #expect(Deadline.current == nil)
    try await Deadline(in: .seconds(5), clock: clock).run {
      #expect(Deadline.current?.remaining == .seconds(5))
      clock.advance(by: .seconds(2))
      #expect(Deadline.current?.remaining == .seconds(3))
    }
    #expect(Deadline.current == nil)
    await #expect(throws: Mishap.self) {
      try await Deadline(in: .seconds(5), clock: clock).run { throw Mishap() }
    }
    #expect(Deadline.current == nil)
  }

  @Test("of two the earlier one holds, whichever is outside")
  func earlier() async throws {
    func nested(_ durations: [Int]) async throws -> [Duration?] {
      guard let first = durations.first else { return [] }
      return try await Deadline(in: .seconds(first), clock: clock).run {
        let here = Deadline.current?.remaining
        let inside = try await nested(Array(durations.dropFirst()))
        #expect(Deadline.current?.remaining == here)
        return [here] + inside
      }
    }
    #expect(try await nested([5, 3]) == [.seconds(5), .seconds(3)])
    #expect(try await nested([3, 5]) == [.seconds(3), .seconds(3)])
    #expect(try await nested([3, 3]) == [.seconds(3), .seconds(3)])
    #expect(try await nested([7, 9, 2, 4]) == [7, 7, 2, 2].map { .seconds($0) })
    #expect(try await nested([0, 4]) == [.zero, .zero])
    #expect(try await nested([4, -1]) == [.seconds(4), .zero])
  }

  @Test("of two on different clocks the one with less time remaining holds")
  func twoClocks() async throws {
    let other = VirtualClock()
    await other.advance(by: .seconds(1_000_000))
    let (short, long) = (
      Deadline(in: .seconds(3), clock: clock), Deadline(in: .seconds(5), clock: other)
    )
    try await long.run {
      try await short.run {
        clock.advance(by: .seconds(1))
        #expect(Deadline.current?.remaining == .seconds(2))
        other.advance(by: .seconds(100))
        #expect(Deadline.current?.remaining == .seconds(2))
      }
      #expect(Deadline.current?.isExpired == true)
      // The outer one has passed: it has less left than the two seconds of the inner one.
      try await short.run { #expect(Deadline.current?.remaining == .zero) }
    }
  }

  @Test(
    "of two on different clocks a nanosecond decides, wherever the clocks stand",
    arguments: [Duration.nanoseconds(-1), .nanoseconds(1)], [Duration.zero, .seconds(1_000_000)])
  func twoClocksNested(innerIsLaterBy difference: Duration, ahead: Duration) async throws {
    let other = VirtualClock()
    await other.advance(by: ahead)
    let outer = Deadline(in: .seconds(5), clock: clock)
    let inner = Deadline(in: .seconds(5) + difference, clock: other)
    // The one that holds is told by the clock that it follows.
    let (clockThatHolds, left) =
      difference > .zero ? (clock, Duration.seconds(4)) : (other, .seconds(4) + difference)
    try await outer.run {
      try await inner.run {
        clockThatHolds.advance(by: .seconds(1))
        #expect(Deadline.current?.remaining == left)
      }
    }
  }

  @Test("the default clock is the continuous one")
  func defaultClock() {
    let deadline = Deadline(in: .seconds(500))
    #expect(deadline.remaining > .seconds(400) && deadline.remaining <= .seconds(500))
    #expect(!deadline.isExpired)
    #expect(Deadline(in: .seconds(-500)).isExpired)
  }

  @Test("child tasks inherit it; a detached task does not")
  func inherited() async throws {
    try await Deadline(in: .seconds(5), clock: clock).run {
      async let child = Deadline.current?.remaining
      let group = await withTaskGroup { group in
        group.addTask { Deadline.current?.remaining }
        return await group.next()
      }
      let unstructured = await Task { Deadline.current?.remaining }.value
      let detached = await Task.detached { Deadline.current?.remaining }.value
      #expect(await child == .seconds(5))
      #expect(group == .seconds(5))
      #expect(unstructured == .seconds(5))
      #expect(detached == nil)
    }
  }

  @Test("it cancels nothing: an operation that overruns it returns its value")
  func overrun() async throws {
    try await withVirtualTime { clock in
      let token = try await Deadline(in: .seconds(1), clock: clock).run {
        try await clock.sleep(for: .seconds(10))
        #expect(Deadline.current?.isExpired == true)
        #expect(!Task.isCancelled)
        return Token(number: 3)
      }
      #expect(token.number == 3)
      #expect(clock.now == .init(offset: .seconds(10)))
    }
  }

  @Test("a breaker inside judges by it: a cancellation after it is a failure, before it is none")
  func judged() async throws {
    for (duration, failures) in [(9, 0), (10, 1)] {
      try await withVirtualTime { clock in
        let breaker = CircuitBreaker("breaker", over: .sinceTransition, clock: clock)
        try? await Deadline(in: .seconds(10), clock: clock).run {
          try await breaker.run {
            try await clock.sleep(for: .seconds(duration))
            throw CancellationError()
          }
        }
        #expect(breaker.snapshot().counts.failures == failures)
        #expect(breaker.snapshot().counts.ignored == 1 - failures)
      }
    }
  }

  @Test("a timeout's error says what its limit was, and what the operation made of it")
  func timeoutError() {
    let error = TimeoutError(limit: .milliseconds(1500), underlying: Mishap())
    #expect("\(error)" == #"timeout "timeout": no answer within 1.5 seconds"#)
    #expect(error.limit == .milliseconds(1500))
    #expect(error.underlying is Mishap)
    #expect(TimeoutError(limit: .zero).underlying == nil)
    #expect(!(error as any Error is any RejectionError))
  }
}
