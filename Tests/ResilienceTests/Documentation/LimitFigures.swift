import Resilience
import Testing

extension Documentation {
  @Suite("Documentation: figures of hedges, limits and throttles in the README")
  struct LimitFigures {
    typealias Default = FigureTests.Default

    static var defaults: [Default] {
      let (hedge, bulkhead) = (Hedge.Configuration(), Bulkhead.Configuration(limit: 1))
      return [
        Default(
          "delay", ".percentile(0.98, window: 100, minimum: 20)",
          hedge.delay == .percentile(0.98, window: 100, minimum: 20)),
        Default("maxHedges", "1", hedge.maxHedges == 1),
        Default("queue", "0", bulkhead.queue == 0 && bulkhead.maxWait == .seconds(1)),
        Default("order", ".fifo", bulkhead.order == .fifo),
        Default("burst", "1", RateLimiter.Configuration(.perSecond(1)).burst == 1),
        Default(
          "algorithm", ".aimd()",
          AdaptiveLimiter.Configuration().algorithm
            == .aimd(initial: 4, maximum: 200, backoff: 0.7, cooldown: .milliseconds(100))),
        Default(
          "multiplier", "2",
          Throttle.Configuration().multiplier == 2
            && Throttle.Configuration().window == .seconds(10)
            && Throttle.Configuration().maxRejection == 0.9),
      ]
    }

    @Test("the defaults are those in the README")
    func defaults() throws {
      let rows = try rows(inMarkdown: readme)
      for setting in Self.defaults {
        #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
        let row = rows.first { $0.first == "`\(setting.parameter)`" }
        #expect(row?[1] == "`\(setting.value)`")
      }
    }
  }
}
