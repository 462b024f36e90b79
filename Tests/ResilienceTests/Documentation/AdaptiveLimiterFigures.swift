import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: figures of adaptive limiters")
  struct AdaptiveLimiterFigures {
    typealias Algorithm = AdaptiveLimiter.Algorithm
    typealias Default = FigureTests.Default

    static let guide = "\(catalog)/AdaptiveLimiterGuide.md"

    static var defaults: [Default] {
      let (aimd, vegas, gradient) = (Algorithm.aimd(), Algorithm.vegas(), Algorithm.gradient())
      let isPaced =
        vegas == .vegas(window: .milliseconds(100), probeInterval: .seconds(30))
        && gradient == .gradient(window: .milliseconds(100), probeInterval: .seconds(30))
      let (initial, maximum) = (4, 200)
      return [
        Default("algorithm", ".aimd()", AdaptiveLimiter.Configuration().algorithm == aimd),
        Default(
          "initial", "4",
          aimd == .aimd(initial: initial) && vegas == .vegas(initial: initial)
            && gradient == .gradient(initial: initial)),
        Default(
          "maximum", "200",
          aimd == .aimd(maximum: maximum) && vegas == .vegas(maximum: maximum)
            && gradient == .gradient(maximum: maximum)),
        Default("backoff", "0.7", aimd == .aimd(backoff: 0.7)),
        Default("cooldown", ".milliseconds(100)", aimd == .aimd(cooldown: .milliseconds(100))),
        Default("window", ".milliseconds(100)", isPaced),
        Default("probeInterval", ".seconds(30)", isPaced),
        Default("tolerance", "1.25", gradient == .gradient(tolerance: 1.25)),
      ]
    }

    @Test("the defaults are those in the table")
    func defaults() throws {
      let rows = try rows(inMarkdown: Self.guide)
      for setting in Self.defaults {
        #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
        let row = rows.first { $0.first == "`\(setting.parameter)`" }
        #expect(row?[1] == "`\(setting.value)`")
      }
    }

    @Test("the initializers have the defaults of the configuration")
    func initializers() {
      let layers = AdaptiveLimiter().layers
      #expect(layers.map(\.settings) == ["\(AdaptiveLimiter.Configuration())"])
      #expect(AdaptiveLimiter(configuration: .init()).layers == layers)
    }

    /// How many calls of one criticality pass when these levels have called.
    private func usable(
      by criticality: Criticality, after callers: [Criticality]
    ) async throws -> Int {
      let limiter = AdaptiveLimiter(
        algorithm: .aimd(initial: 20, maximum: 20), clock: VirtualClock())
      for caller in callers { try await caller.run { try await limiter.run {} } }
      return try await criticality.run {
        var calls: [LimitedCall] = []
        repeat { calls.append(LimitedCall(limiter)) } while calls.last?.isAdmitted == true
        for call in calls { call.ignore() }
        return calls.count - 1
      }
    }

    @Test("each level may use what the table says")
    func shares() async throws {
      let rows = try rows(inMarkdown: Self.guide)
      let levels = Criticality.allCases
      let combinations = [[0, 1], [0, 2], [1, 2], [0, 1, 2]].map { $0.map { levels[$0] } }
      for callers in combinations {
        let name = callers.map { "`\($0.rawValue)`" }.joined(separator: " ")
        let row = try #require(rows.first { $0.first == name })
        for (level, cell) in zip(levels, row.dropFirst()) {
          let usable = try await usable(by: level, after: callers)
          #expect(cell == (callers.contains(level) ? "\(usable)" : "-"), "\(name): \(level)")
        }
      }
      let alone = try #require(rows.first { $0.first == "one level alone" })
      for (level, cell) in zip(levels, alone.dropFirst()) {
        let usable = try await usable(by: level, after: [level])
        #expect(cell == "\(usable)")
      }
    }
  }
}
