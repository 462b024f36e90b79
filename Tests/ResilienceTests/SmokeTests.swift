import Testing
import Resilience

struct E: Error {}
struct NC: ~Copyable { var v: Int }
actor Act {
  var n = 0
  func go(_ b: CircuitBreaker) async throws {
    let me: any Actor = self
    let x = try await b.run {
      me.preconditionIsolated(); return 3
    }
    #expect(x == 3)
    let y = try await b.run { () -> Int in
      throw E()
    } fallback: { _ in
      me.preconditionIsolated(); return 4
    }
    #expect(y == 4)
    let z = try await b.run {
      await Task.yield(); me.preconditionIsolated(); return 5
    } failingWhen: {
      $0 == 5
    } fallback: { _ in
      me.preconditionIsolated(); return 6
    }
    #expect(z == 6)
  }
}
@Test func smoke() async throws {
  let b = CircuitBreaker(
    "x", tripping: .consecutiveFailures(3), over: .sinceTransition,
    recovery: .init(openFor: .seconds(30)))
  let v = try await b.run { 1 }
  #expect(v == 1)
  let nc = try await b.run { NC(v: 2) }
  #expect(nc.v == 2)
  let nc2 = try await b.run { () -> NC in
    throw E()
  } fallback: { _ in
    NC(v: 9)
  }
  #expect(nc2.v == 9)
  let a = try await b.run { $0.attempt }
  #expect(a == 1)
  try await b.run {}
  try await b.run { _ in }
  try await Act().go(b)
  print(b.snapshot())
  for _ in 0..<3 { _ = try? await b.run { throw E() } }
  print(b.snapshot())
  do { try await b.run {} } catch { print(error) }
  #expect(b.state == .open)
  let p = b.tryAcquire()
  if let p { p.succeed(); Issue.record("admitted") }
}
