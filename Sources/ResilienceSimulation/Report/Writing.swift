// Numbers and targets as they are written: the same on every platform and in every place.

extension Double {
  /// Rounded to so many digits after the point.
  func written(digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    guard let units = Int(exactly: (magnitude * Double(scale)).rounded()) else { return "\(self)" }
    let sign = self < 0 && units > 0 ? "−" : ""
    guard digits > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(sign)\(units / scale).\(zeros)\(fraction)"
  }

  /// To six digits after the point, without zeros at the end.
  var trimmed: String {
    let digits = written(digits: 6)
    guard digits.contains(".") else { return digits }
    let significant = digits.reversed().drop { $0 == "0" }.drop { $0 == "." }
    return String(significant.reversed())
  }
}

extension Duration {
  /// "250 ms", "1.25 s".
  var written: String {
    self < .seconds(1) ? "\((inSeconds * 1_000).trimmed) ms" : "\(inSeconds.trimmed) s"
  }
}

extension Figure.Unit {
  func number(_ value: Double) -> String {
    switch self {
    case .seconds, .milliseconds, .count: value.written(digits: 0)
    case .share: value.written(digits: 3)
    case .ratio: value.written(digits: 2)
    }
  }

  /// What follows the number.
  var symbol: String {
    switch self {
    case .seconds: " s"
    case .milliseconds: " ms"
    case .share, .ratio, .count: ""
    }
  }
}

extension Report.Cell {
  /// The mean, then the least and the greatest: "22 s (19–26), 1 of 4 never".
  func words(_ unit: Figure.Unit, seeds: Int) -> String {
    guard let least, let greatest, let mean else { return never > 0 ? "never" : "" }
    let ends = (unit.number(least), unit.number(greatest))
    let range = ends.0 == ends.1 ? "" : " (\(ends.0)–\(ends.1))"
    let nevers = never > 0 ? ", \(never) of \(seeds) never" : ""
    return "\(unit.number(mean))\(unit.symbol)\(range)\(nevers)"
  }
}

// MARK: - Targets

extension Figure {
  /// What is demanded of stacks, and of which, if not of all; `nil` if of none.
  func targetInWords(for stacks: [String], clients: Int) -> String? {
    let bound = stacks.filter { target?.applying(to: $0, clients: clients) != nil }
    guard let first = bound.first,
      let demand = target?.applying(to: first, clients: clients)?.words(unit)
    else { return nil }
    let names = bound.count < stacks.count ? " (\(bound.joined(separator: ", ")))" : ""
    return (isMean ? "mean " : "") + demand + names
  }
}

extension Target {
  fileprivate func words(_ unit: Figure.Unit) -> String {
    func multiple(_ factor: Double, of stack: String) -> String {
      factor == 1 ? stack : "\(factor.trimmed) × \(stack)"
    }
    func difference(_ sign: String, _ value: Double) -> String {
      value == 0 ? "" : " \(sign) \(value.trimmed)\(unit.symbol)"
    }
    switch self {
    case .atMost(let bound): return "≤ \(bound.trimmed)\(unit.symbol)"
    case .atLeast(let bound): return "≥ \(bound.trimmed)\(unit.symbol)"
    case .atMostOf(let stack, let factor, let extra):
      return "≤ \(multiple(factor, of: stack))\(difference("+", extra))"
    case .atLeastOf(let stack, let factor, let margin):
      return "≥ \(multiple(factor, of: stack))\(difference("−", margin))"
    case .bySize, .only: return ""
    }
  }
}
