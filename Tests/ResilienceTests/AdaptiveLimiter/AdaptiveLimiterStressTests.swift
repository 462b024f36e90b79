import Resilience
import ResilienceTesting
import Synchronization
import Testing

@Suite("Adaptive limiter: many threads", .timeLimit(.minutes(20)))
struct AdaptiveLimiterStressTests {
  @Test(
    "X-4: nothing stays in flight, nothing is counted twice, and changes of the limit are in order",
    arguments: [AdaptiveLimiter.Algorithm.aimd(), .vegas(window: .zero), .gradient(window: .zero)])
  func counts(algorithm: AdaptiveLimiter.Algorithm) async throws {
    let events = EventRecorder()
    var limiter: AdaptiveLimiter? = AdaptiveLimiter(algorithm: algorithm, observers: [events])
    let snapshot = try #require(limiter?.snapshot())
    let known = await Self.callOnManyThreads(try #require(limiter))
    let end = try #require(limiter?.snapshot())
    #expect(end.inFlight == 0)
    #expect(
      [end.totals.successes, end.totals.overloads, end.totals.others]
        == [known.successes, known.overloads, known.others])
    let refused = known.rejected + known.shed + known.refused
    #expect(end.totals.limitReached + end.totals.shed == refused)
    #expect(end.totals.limitReached >= known.rejected && end.totals.shed >= known.shed)
    #expect(known.successes > 100 && known.others > 100 && known.overloads > 10)
    // Who is gone has delivered what its last turn left.
    limiter = nil
    var (limit, rejected, overloads) = (snapshot.limit, 0, 0)
    for event in events.events(of: AdaptiveLimiter.Event.self) {
      switch event.kind {
      case .limitChanged(let from, let to):
        #expect(from == limit)
        limit = to
      case .rejected: rejected += 1
      case .overloaded: overloads += 1
      }
    }
    #expect(limit == end.limit)
    #expect(rejected == refused)
    #expect(overloads == known.overloads)
  }

  private static func callOnManyThreads(_ limiter: AdaptiveLimiter) async -> Known.Counts {
    let known = Known()
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<8 {
        group.addTask { await call(limiter, known, seed: UInt64(thread)) }
      }
    }
    return known.value
  }

  @concurrent
  private static func call(_ limiter: AdaptiveLimiter, _ known: Known, seed: UInt64) async {
    var dice = Dice(seed: seed)
    for _ in 0..<600 {
      let criticality = Criticality.allCases.randomElement(using: &dice) ?? .normal
      let face = Int.random(in: 0..<20, using: &dice)
      try? await criticality.run {
        if face < 10 { await run(limiter, known, face) } else { await hold(limiter, known, face) }
      }
      // Who is refused must not keep the others from ending.
      await Task.yield()
    }
  }

  private static func run(_ limiter: AdaptiveLimiter, _ known: Known, _ face: Int) async {
    do {
      try await limiter.run {
        await Task.yield()
        if face == 0 { throw TimeoutError(limit: .zero) }
        if face < 3 { throw Unavailable() }
      }
      known.count(\.successes)
    } catch let error as LimitReachedError {
      known.count(error.reason == .shed ? \.shed : \.rejected)
    } catch {
      known.count(error is TimeoutError ? \.overloads : \.others)
    }
  }

  /// With a permit, which another task ends.
  private static func hold(_ limiter: AdaptiveLimiter, _ known: Known, _ face: Int) async {
    guard let permit = limiter.tryAcquire() else { return known.count(\.refused) }
    let box = Mutex<AdaptiveLimiter.Permit?>(permit)
    async let other: Void = {
      guard let permit = box.withLock({ $0.take() }) else { return }
      if face < 17 { permit.succeed() } else { permit.ignore() }
    }()
    await other
    known.count(face < 17 ? \.successes : \.others)
  }

  /// What the callers know.
  private final class Known: Sendable {
    struct Counts: Sendable {
      var successes = 0
      var overloads = 0
      var others = 0
      var rejected = 0
      var shed = 0

      /// Without a reason.
      var refused = 0
    }

    private let counts = Lock(Counts())

    func count(_ path: sending WritableKeyPath<Counts, Int>) {
      counts.withLock { $0[keyPath: path] += 1 }
    }

    var value: Counts { counts.withLock { $0 } }
  }
}
