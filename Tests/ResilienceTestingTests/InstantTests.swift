import ResilienceTesting
import Testing

@Suite("VirtualClock.Instant")
struct InstantTests {
  typealias Instant = VirtualClock.Instant
  static let extremes: [Duration] = [
    Duration(attoseconds: .min), .seconds(Int64.min), .seconds(-1), .zero, .nanoseconds(1),
    .seconds(Int64.max), Duration(attoseconds: .max),
  ]

  @Test("arithmetic is exact where it fits and saturates where it does not", arguments: extremes)
  func saturates(a: Duration) {
    for b in Self.extremes {
      let sum = a.attoseconds.addingReportingOverflow(b.attoseconds)
      let expected = sum.overflow ? (b < .zero ? Int128.min : .max) : sum.partialValue
      #expect(Instant(offset: a).advanced(by: b).offset.attoseconds == expected)

      let distance = b.attoseconds.subtractingReportingOverflow(a.attoseconds)
      let between = distance.overflow ? (b < a ? Int128.min : .max) : distance.partialValue
      #expect(Instant(offset: a).duration(to: Instant(offset: b)).attoseconds == between)
      #expect((Instant(offset: a) < Instant(offset: b)) == (a < b))
    }
  }

  @Test("an instant reads as the time since the start")
  func description() {
    #expect("\(Instant.start.advanced(by: .milliseconds(1500)))" == "1.5 seconds")
  }
}
