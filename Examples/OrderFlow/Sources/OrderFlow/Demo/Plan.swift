/// How many orders go to which part of the demo.
package struct Plan: Equatable, Sendable {
  /// While the user service is healthy, before the outage.
  package let before: Int
  /// While the user service is flaky; the third of them is the first to be retried.
  package let whileFlaky: Int
  /// While the circuit is open, each of the three times.
  package let whileOpen: Int
  package let total: Int

  /// Every regular customer and a stranger before the outage; three that find a flaky service; four
  /// that make five failures, if one of them is tried again, and two failed probes; a regular customer and a newcomer in each of the three open periods; three probes that succeed
  /// and one order on the closed circuit again.
  package static let smallest = 5 + 3 + 4 + 2 + 3 * 2 + 3 + 1
  package static let largest = 1_000

  /// - Parameter total: from ``smallest`` to ``largest``.
  package init(total: Int) {
    self.total = total
    let spare = max(0, total - Self.smallest)
    before = 5 + spare / 4
    whileFlaky = 3 + spare / 8
    whileOpen = 2 + spare / 6
  }
}
