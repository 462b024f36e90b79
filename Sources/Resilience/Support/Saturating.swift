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

extension Int64 {
  /// The nearest whole number, held within the type; 0 for what is not a number.
  package init(saturating value: Double) {
    self =
      value.isNaN ? 0 : value >= 0x1p63 ? .max : value <= -0x1p63 ? .min : Int64(value.rounded())
  }
}

extension Int64 {
  /// The sum, held at the bounds of the type instead of trapping.
  package func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  /// The difference, held at the bounds of the type instead of trapping.
  package func subtractingSaturated(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other < 0 ? .max : .min) : difference
  }
}
