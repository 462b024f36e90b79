import ResilienceTesting
import Testing

@testable import Resilience

@Suite("CR-1: the least critical calls are refused first")
struct CriticalitySharesTests {
  /// How many calls of one criticality are admitted when nothing else is in flight.
  private func usable(
    by criticality: Criticality, after callers: [Criticality], limit: Int,
    later: Duration = .zero
  ) async throws -> Int {
    let limited = Limited(.aimd(initial: limit))
    for caller in callers {
      let admits = await limited.admits(caller)
      #expect(admits)
    }
    await limited.clock.advance(by: later)
    let calls = try await criticality.run {
      (0...limit).map { _ in LimitedCall(limited.limiter) }
    }
    for call in calls { call.ignore() }
    return calls.count(where: \.isAdmitted)
  }

  @Test("all of the limit is for who calls alone", arguments: Criticality.allCases)
  func alone(_ criticality: Criticality) async throws {
    #expect(try await usable(by: criticality, after: [], limit: 20) == 20)
    #expect(try await usable(by: criticality, after: [.sheddable], limit: 20) == 20)
  }

  @Test(
    "a quarter is kept for each higher level that calls",
    arguments: [
      (Criticality.sheddable, [Criticality.normal], 15), (.sheddable, [.critical], 15),
      (.sheddable, [.normal, .critical], 10), (.normal, [.critical], 15),
      (.normal, [.sheddable, .critical], 15), (.normal, [.sheddable, .normal], 20),
      (.critical, [.sheddable, .normal, .critical], 20),
    ])
  func shares(_ criticality: Criticality, callers: [Criticality], expected: Int) async throws {
    #expect(try await usable(by: criticality, after: callers, limit: 20) == expected)
  }

  @Test(
    "shares are rounded down, and 1 is usable by each",
    arguments: [(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 2, 3), (5, 2, 3), (7, 3, 5), (9, 4, 6)])
  func rounding(limit: Int, sheddable: Int, normal: Int) async throws {
    let all: [Criticality] = [.normal, .critical]
    #expect(try await usable(by: .sheddable, after: all, limit: limit) == sheddable)
    #expect(try await usable(by: .normal, after: all, limit: limit) == normal)
    #expect(try await usable(by: .critical, after: all, limit: limit) == limit)
  }

  @Test("ten seconds after its last call a level is forgotten")
  func memory() async throws {
    let before = Duration.seconds(10) - .tick
    let callers: [Criticality] = [.normal, .critical]
    #expect(try await usable(by: .sheddable, after: callers, limit: 20, later: before) == 10)
    #expect(try await usable(by: .sheddable, after: callers, limit: 20, later: .seconds(10)) == 20)
  }

  @Test("a call that is refused counts as a caller too")
  func refused() async throws {
    let limited = Limited(.aimd(initial: 4))
    let calls = try await Criticality.sheddable.run { limited.start(4) }
    var admits = await limited.admits(.critical)
    #expect(!admits)
    calls[0].ignore()
    admits = await limited.admits(.sheddable)
    #expect(!admits)
    admits = await limited.admits(.critical)
    #expect(admits)
    for call in calls[1...] { call.ignore() }
  }

  @Test("a share is of all calls in flight, and the reason says which bound was met")
  func reasons() async throws {
    let limited = Limited(.aimd(initial: 4))
    let critical = try await Criticality.critical.run { limited.start(3) }
    var reasons: [LimitReachedError.Reason] = []
    for criticality in [Criticality.sheddable, .normal] {
      do { try await criticality.run { try await limited.limiter.run {} } } catch {
        reasons.append(try #require((error as? LimitReachedError)?.reason))
      }
    }
    let last = try await Criticality.critical.run { limited.start() }
    do { try await limited.limiter.run {} } catch {
      reasons.append(try #require((error as? LimitReachedError)?.reason))
    }
    #expect(reasons == [.shed, .shed, .limitReached])
    #expect(limited.totals == .init(limitReached: 1, shed: 2))
    for call in critical + last { call.ignore() }
  }
}
