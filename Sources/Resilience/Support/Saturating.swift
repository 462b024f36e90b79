extension Int {
  /// Counts one more, and stays at the top when there is no more.
  mutating func increment() {
    add(1)
  }

  /// Counts more, and stays at the top when there is no more.
  mutating func add(_ count: Int) {
    let (sum, overflow) = addingReportingOverflow(count)
    self = overflow ? .max : sum
  }
}
