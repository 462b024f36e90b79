/// A depth-first search of a tree that shows itself only by being walked: each run takes one path,
/// and tells how many branches there were on it.
struct ScheduleSearch {
  /// The choices to make in the next run; `nil` when every path has been taken.
  private(set) var next: [Int]? = []
  /// How many paths have been taken.
  private(set) var passed = 0

  /// What the next run has to find on its way, if the program is deterministic.
  private var expected: ArraySlice<Chooser.Point> = []

  /// Takes down a path, and chooses the next one: the same up to the last point at which a branch is
  /// left.
  ///
  /// - Returns: whether the path began as those that it repeats.
  mutating func record(_ path: [Chooser.Point]) -> Bool {
    guard path.starts(with: expected) else { return false }
    passed += 1
    guard let turn = path.lastIndex(where: { $0.chosen + 1 < $0.candidates }) else {
      next = nil
      return true
    }
    expected = path[...turn]
    expected[turn].chosen += 1
    next = expected.map(\.chosen)
    return true
  }

  /// The choices that repeat a path: without the last ones, if they are those of the order of arrival.
  static func choices(of path: [Chooser.Point]) -> [Int] {
    let end = path.lastIndex { $0.chosen > 0 }.map { $0 + 1 } ?? 0
    return path[..<end].map(\.chosen)
  }
}
