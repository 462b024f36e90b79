/// Which of sixteen stripes a thread uses, so that threads seldom meet on a cache line.
enum ThreadStripe {
  static let count = 16

  /// The stripe of this thread: stacks of threads lie far apart, so the address of a local
  /// variable tells threads apart for less than a nanosecond. Multiplying by 2⁶⁴ over the golden
  /// ratio spreads them (Knuth, The Art of Computer Programming, vol. 3, §6.4).
  static var current: Int {
    var local: UInt8 = 0
    // Only the address is taken; the pointer does not leave the closure.
    let address = unsafe withUnsafeMutablePointer(to: &local) { UInt64(UInt(bitPattern: $0)) }
    return Int(truncatingIfNeeded: ((address >> 16) &* 0x9e37_79b9_7f4a_7c15) >> 60)
  }
}
