/// Fills the baskets: the same seed, the same orders.
package struct Shopper {
  /// Users who order while all is well, and so are known to the order service later.
  package static let regulars = 1...4
  /// Users who exist, but order for the first time in the middle of the outage.
  package static let newcomers = 5...8
  /// A user who does not exist.
  package static let stranger = 99

  private var generator: SplitMix64
  private static let skus = ["tea", "coffee", "sugar", "milk", "cups", "spoons"]

  package init(seed: UInt64) {
    generator = SplitMix64(state: seed)
  }

  package mutating func regular() -> Int { Self.regulars.randomElement(using: &generator) ?? 1 }

  package mutating func newcomer() -> Int { Self.newcomers.randomElement(using: &generator) ?? 5 }

  package mutating func anybody() -> Int {
    Bool.random(using: &generator) ? regular() : newcomer()
  }

  package mutating func order(by user: Int) -> Order {
    let items = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
      Order.Item(
        sku: Self.skus.randomElement(using: &generator) ?? "tea",
        quantity: Int.random(in: 1...5, using: &generator))
    }
    return Order(userId: user, items: items)
  }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
