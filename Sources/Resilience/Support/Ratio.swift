/// A threshold between 0 and 1, compared with counts exactly.
///
/// A threshold is written as a `Double`, and 0.1 is not a tenth. Comparing quotients of doubles
/// would trip a threshold of 0.1 at one call in ten on some days and not on others; so the
/// threshold becomes the simplest fraction that reads back as the same `Double`, and counts are
/// compared with it in integers.
struct Ratio: Hashable, Sendable {
  let numerator: UInt64
  let denominator: UInt64

  /// - Precondition: the value is above 0 and at most 1; configurations are validated before they
  ///   get here.
  init(_ value: Double) {
    self = Self.simplest(readingAs: value) ?? Self.binary(value)
  }

  /// The threshold as it was written.
  var value: Double { Double(numerator) / Double(denominator) }

  /// What is missing to 1, exactly.
  var complement: Ratio { Ratio(numerator: denominator - numerator, denominator: denominator) }

  /// Whether `part` of `whole` is at least this ratio; nothing of nothing is not.
  func isReached(by part: Int, of whole: Int) -> Bool {
    guard whole > 0, part >= 0 else { return false }
    let left = denominator.multipliedFullWidth(by: UInt64(part))
    let right = numerator.multipliedFullWidth(by: UInt64(whole))
    return (left.high, left.low) >= (right.high, right.low)
  }

  /// Continued fractions: each convergent is the best fraction of its size, so the first that
  /// reads back as the value is the one its author meant.
  private static func simplest(readingAs value: Double) -> Ratio? {
    var (previous, current) = ((p: 0.0, q: 1.0), (p: 1.0, q: 0.0))
    var rest = value
    for _ in 0..<32 {
      let whole = rest.rounded(.down)
      let next = (p: whole * current.p + previous.p, q: whole * current.q + previous.q)
      guard next.q < 1e15 else { return nil }
      if next.p / next.q == value {
        return Ratio(numerator: UInt64(next.p), denominator: UInt64(next.q))
      }
      guard rest > whole else { return nil }
      (previous, current) = (current, next)
      rest = 1 / (rest - whole)
    }
    return nil
  }

  /// The value itself: a `Double` is a fraction whose denominator is a power of two. (Below 2⁻¹⁰
  /// the last of its bits may be lost, and below 2⁻⁶³ it is rounded up to that.)
  private static func binary(_ value: Double) -> Ratio {
    Ratio(numerator: max(1, UInt64(value * 0x1p63)), denominator: 1 << 63)
  }

  private init(numerator: UInt64, denominator: UInt64) {
    self.numerator = numerator
    self.denominator = denominator
  }
}
