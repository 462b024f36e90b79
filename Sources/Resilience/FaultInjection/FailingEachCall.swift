extension FaultInjection {
  /// Runs the body again and again, and fails its first call, its second, and so on, each in a run
  /// of its own, until a run makes no call that could have failed.
  ///
  /// So every single failure of a dependency is tried out, and none is left to chance. Run the calls
  /// of the body through the policy that it is given, and expect the same things of every run:
  ///
  /// ```swift
  /// try await FaultInjection.failingEachCall(with: { Unavailable() }) { faults in
  ///   let (stock, orders) = (Stock(amount: 1), Orders())
  ///   let desk = OrderDesk(stock: stock, orders: orders, calling: faults)
  ///
  ///   try? await desk.order()
  ///
  ///   #expect(stock.amount + orders.count == 1)
  /// }
  /// ```
  ///
  /// Deterministic if the body is: it must make its calls in the same order each time. A call that a
  /// retry makes again is another call. The body runs where the caller is.
  ///
  /// - Parameters:
  ///   - makeError: makes the error that the call fails with.
  ///   - limit: how many runs there may be; at least 1, a thousand by default.
  ///   - body: what to try out. It begins anew each time, and is given a policy whose name says
  ///     which call fails: `failing call 2`.
  /// - Returns: how many runs there were. The last one had no failure: so the body makes, undisturbed,
  ///   one call less.
  /// - Throws: what the body throws, at once; a ``TooManyCallsError`` if the last run that was allowed
  ///   still had a call that failed; `CancellationError` if the task is cancelled between two runs.
  @discardableResult
  public static func failingEachCall(
    with makeError: @escaping @Sendable () -> any Error, upTo limit: Int = 1_000,
    _ body: (FaultInjection) async throws -> Void
  ) async throws -> Int {
    requireRuns(limit)
    for run in 1...limit {
      // Also keeps the caller's actor: on 6.3.1 it is lost between an await and the call of a closure
      // if nothing synchronous happens between them.
      try Task.checkCancellation()
      let faults = FaultInjection("failing call \(run)", [.error(onCall: run, makeError)])
      try await body(faults)
      if faults.snapshot().calls < run { return run }
    }
    throw TooManyCallsError(limit: limit)
  }

  private static func requireRuns(_ limit: Int) {
    var validation = Validation()
    validation.require(limit >= 1, "upTo", is: limit, allowed: "1...")
    do { try validation.finish() } catch { stop(misconfigured: "failingEachCall", error) }
  }

  /// The body made a call that failed in each of the runs that were allowed: there may be more.
  public struct TooManyCallsError: Error, Hashable, CustomStringConvertible {
    /// How many runs were allowed.
    public let limit: Int

    /// One line for a log.
    public var description: String { "\(limit) runs were not enough to fail each call" }
  }
}
