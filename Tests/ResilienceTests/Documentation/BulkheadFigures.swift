import Resilience
import Testing

extension Documentation {
  @Suite("Documentation: figures of bulkheads")
  struct BulkheadFigures {
    typealias Default = FigureTests.Default

    static let guide = "\(catalog)/BulkheadGuide.md"

    static var defaults: [Default] {
      let settings = Bulkhead.Configuration(limit: 1)
      return [
        Default("queue", "0", settings.queue == 0),
        Default("maxWait", ".seconds(1)", settings.maxWait == .seconds(1)),
        Default("order", ".fifo", settings.order == .fifo),
      ]
    }

    @Test("the defaults are those in the table, and those of the initializers")
    func defaults() throws {
      let rows = try rows(inMarkdown: Self.guide)
      for setting in Self.defaults {
        #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
        let row = rows.first { $0.first == "`\(setting.parameter)`" }
        #expect(row?[1] == "`\(setting.value)`")
      }
      let waiting = Bulkhead(limit: 1, queue: 1).layers
      #expect(waiting == Bulkhead(configuration: .init(limit: 1, queue: 1)).layers)
      #expect(Bulkhead(limit: 1).snapshot().queue == 0)
    }

    @Test("the line for a log is as shown")
    func line() throws {
      let event = Bulkhead.Event.Kind.rejected(.waitedTooLong, waited: .seconds(1))
      let text = try lines(of: Self.guide).joined(separator: " ")
      #expect(text.contains("`bulkhead \"user-service\": \(event)`"))
    }
  }
}
