import Resilience
import Testing

extension Documentation {
  @Suite("Documentation: retry budget")
  struct BudgetSnippets {
    @Test("RB-1: a budget guards extra attempts that are made by hand")
    func byHand() async throws {
      let budget = RetryBudget()
      var pages: [String?] = []
      func fetch() async throws -> String {
        guard let page = pages.removeFirst() else { throw Unavailable() }
        return page
      }
      func page() async throws -> String {
        // snippet
        do {
          let page = try await fetch()
          budget.succeed()
          return page
        } catch {
          guard budget.withdraw() else { throw error }
          let page = try await fetch()
          budget.succeed()
          budget.giveBack()
          return page
        }
        // end snippet
      }
      pages = ["first", nil, "second", nil, nil, nil, "never"]
      let first = try await page()
      let second = try await page()
      #expect([first, second] == ["first", "second"])
      await #expect(throws: Unavailable.self) { try await page() }
      // The token is lost, and one success in ten is not yet the next.
      await #expect(throws: Unavailable.self) { try await page() }
      #expect(pages == ["never"])
      let snapshot = budget.snapshot()
      #expect(snapshot.tokens == 0)
      #expect([snapshot.withdrawn, snapshot.givenBack, snapshot.refused] == [2, 1, 1])
    }
  }
}
