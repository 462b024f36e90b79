/// Which length to try next in the search for the least fatal one; lengths in milliseconds.
///
/// From the shortest up, each twice the one before, until one is fatal; then by halves between that
/// one and the longest below it that was not.
struct MetastabilitySearch: Sendable {
  private let longest: Int
  private let precision: Double
  /// The length to try; `nil` when the search is over.
  private(set) var next: Int?
  private var survived: Int?
  private var fatal: Int?

  init(from shortest: Int, to longest: Int, precision: Double) {
    self.longest = longest
    self.precision = precision
    next = min(shortest, longest)
  }

  /// Takes the result of ``next``.
  mutating func note(isFatal: Bool) {
    guard let tried = next else { return }
    if isFatal { fatal = tried } else { survived = tried }
    next = length
  }

  private var length: Int? {
    guard let fatal else {
      guard let survived, survived < longest else { return nil }
      return survived > longest / 2 ? longest : survived * 2
    }
    guard let survived else { return nil }
    let gap = fatal - survived
    return gap > 1 && Double(gap) > precision * Double(fatal) ? survived + gap / 2 : nil
  }
}
