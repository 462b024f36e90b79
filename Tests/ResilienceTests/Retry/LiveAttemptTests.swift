import Testing

@testable import Resilience

@Suite("Retry: the name of an attempt lives as long as the attempt")
struct LiveAttemptTests {
  private static func isInside(_ attempt: LiveAttempt) -> Bool {
    LiveAttempt.taskLocal.withValue(attempt) { LiveAttempt.standing(of: nil).isRepeated }
  }

  @Test("RT-5: an attempt that is over is none, though its slot has been taken again")
  func reuse() {
    var over: [LiveAttempt] = []
    for _ in 0..<1_000 {
      let attempt = LiveAttempt(countedBy: nil)
      #expect(Self.isInside(attempt))
      attempt.end()
      over.append(attempt)
    }
    let alive = (0..<600).map { _ in LiveAttempt(countedBy: nil) }
    #expect(!over.contains { Self.isInside($0) })
    #expect(alive.allSatisfy { Self.isInside($0) })
    for attempt in alive { attempt.end() }
    #expect(!alive.contains { Self.isInside($0) })
  }

  @Test("RT-5: more than there are slots: each is alive until it ends")
  func overflow() {
    let attempts = (0..<5_000).map { _ in LiveAttempt(countedBy: nil) }
    for (index, attempt) in attempts.enumerated() where index.isMultiple(of: 2) { attempt.end() }
    let states = attempts.map { Self.isInside($0) }
    #expect(states == attempts.indices.map { !$0.isMultiple(of: 2) })
    for (index, attempt) in attempts.enumerated() where !index.isMultiple(of: 2) { attempt.end() }
    #expect(!attempts.contains { Self.isInside($0) })
  }

  @Test("RT-5: a chain of attempts, each begun in the one before, keeps none that is over")
  func chain() {
    var attempt = LiveAttempt(countedBy: nil)
    for _ in 0..<100 {
      let next = LiveAttempt.taskLocal.withValue(attempt) { LiveAttempt(countedBy: nil) }
      #expect(next.outside.count == 1)
      #expect(next.outside.allSatisfy { $0.outside.isEmpty && Self.isInside($0) })
      attempt.end()
      attempt = next
    }
    attempt.end()
    let standing = LiveAttempt.taskLocal.withValue(attempt) { LiveAttempt.standing(of: nil) }
    #expect(!standing.isInside)
  }

  @Test("RT-5: many threads begin and end attempts, and never see one for another")
  func threads() async {
    let wrong = await withTaskGroup(of: Int.self) { group in
      for seed in 0..<8 {
        group.addTask { await Self.walk(seed: UInt64(seed)) }
      }
      return await group.reduce(0, +)
    }
    #expect(wrong == 0)
  }

  /// Begins and ends attempts at random, and asks about them here and in other tasks.
  ///
  /// - Returns: how many answers were wrong.
  @concurrent
  private static func walk(seed: UInt64) async -> Int {
    var dice = Dice(seed: seed)
    var alive: [LiveAttempt] = []
    var over: [LiveAttempt] = []
    var wrong = 0
    for step in 0..<3_000 {
      if alive.count < 40, Bool.random(using: &dice) || alive.isEmpty {
        alive.append(LiveAttempt(countedBy: nil))
      } else {
        let attempt = alive.remove(at: Int.random(in: alive.indices, using: &dice))
        attempt.end()
        over.append(attempt)
        if over.count > 100 { over.removeFirst(50) }
      }
      if let attempt = alive.randomElement(using: &dice), !isInside(attempt) { wrong += 1 }
      if let attempt = over.randomElement(using: &dice), isInside(attempt) { wrong += 1 }
      if step.isMultiple(of: 50), let attempt = alive.first {
        async let isInside = LiveAttempt.taskLocal.withValue(attempt) {
          await Task { LiveAttempt.standing(of: nil).isRepeated }.value
        }
        if await !isInside { wrong += 1 }
      }
    }
    for attempt in alive { attempt.end() }
    return wrong + alive.count { isInside($0) }
  }
}
