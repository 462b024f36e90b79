/// Whether a figure is what it should be.
public enum Verdict: String, Hashable, Codable, Sendable {
  /// It is.
  case met
  /// It is not.
  case missed
  /// Nothing is demanded of this stack here, or what it is compared with did not run.
  case notJudged
}

extension Target {
  /// What it demands of a stack with so many clients, without conditions; `nil` for nothing.
  func applying(to stack: String, clients: Int) -> Target? {
    switch self {
    case .atMost, .atLeast, .atMostOf, .atLeastOf: self
    case .bySize(let small, let large):
      (clients <= 20 ? small : large)?.applying(to: stack, clients: clients)
    case .only(let stacks, let target):
      stacks.contains(stack) ? target.applying(to: stack, clients: clients) : nil
    }
  }

  /// The stack that it compares with.
  var reference: String? {
    switch self {
    case .atMostOf(let stack, _, _), .atLeastOf(let stack, _, _): stack
    case .atMost, .atLeast, .bySize, .only: nil
    }
  }
}

// MARK: - Verdicts

extension Target {
  /// Judges a stack that the target applies to.
  ///
  /// Never misses every target, also beside a stack that never made it either: what does not recover
  /// is not reported as good enough. A number is better than another stack's never.
  ///
  /// - Parameters:
  ///   - values: the stack's own, by seed; `nil` for never.
  ///   - references: those of the stack that it is compared with, under the same seeds; `nil` if it
  ///     did not run.
  ///   - isMean: whether the means are judged, rather than each seed.
  func verdict(on values: [Double?], beside references: [Double?]?, isMean: Bool) -> Verdict {
    if values.isEmpty || (reference != nil && references == nil) { return .notJudged }
    let numbers = values.compactMap(\.self)
    guard numbers.count == values.count else { return .missed }
    let others = references ?? values.map { _ in nil }
    let isMet =
      isMean
      ? admits(numbers.mean, beside: others.contains(nil) ? nil : others.compactMap(\.self).mean)
      : zip(numbers, others).allSatisfy { admits($0, beside: $1) }
    return isMet ? .met : .missed
  }

  private func admits(_ value: Double, beside other: Double?) -> Bool {
    switch self {
    case .atMost(let bound): value <= bound
    case .atLeast(let bound): value >= bound
    case .atMostOf(_, let factor, let extra): other.map { value <= factor * $0 + extra } ?? true
    case .atLeastOf(_, let factor, let margin): other.map { value >= factor * $0 - margin } ?? true
    case .bySize, .only: true
    }
  }
}

extension [Double] {
  /// Of one number at least.
  var mean: Double { reduce(0, +) / Double(count) }
}
