import Resilience
import ResilienceTesting
import Testing

@Suite("DL-2: deadlines on the wire", .timeLimit(.minutes(20)))
struct DeadlineOnTheWireTests {
  /// What a deadline can say at most.
  static let longest = Duration.nanoseconds(Int64.max)

  /// The units of gRPC's timeouts, in nanoseconds.
  static let units: [(symbol: String, nanoseconds: Int64)] = [
    ("n", 1), ("u", 1_000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000),
    ("H", 3_600_000_000_000),
  ]

  let clock = VirtualClock()

  func grpc(_ text: some StringProtocol) -> Duration? {
    Deadline(grpcTimeout: text, clock: clock)?.remaining
  }

  func milliseconds(_ text: some StringProtocol) -> Duration? {
    Deadline(decimalMilliseconds: text, clock: clock)?.remaining
  }

  func deadline(in duration: Duration) -> Deadline {
    Deadline(in: duration, clock: clock)
  }

  // MARK: - Reading

  @Test(
    "DL-2: gRPC's timeouts are read in every unit, with one to eight digits, zeros in front too")
  func readsGRPC() {
    for (symbol, nanoseconds) in Self.units {
      for number in [1, 7, 10, 999, 12_345_678, 99_999_999] as [Int64] {
        let expected = min(Duration.nanoseconds(nanoseconds) * number, Self.longest)
        #expect(grpc("\(number)\(symbol)") == expected)
      }
      #expect(grpc("00000001\(symbol)") == .nanoseconds(nanoseconds))
    }
    #expect(grpc("99999999H") == Self.longest)
  }

  @Test("DL-2: milliseconds are read with one to nineteen digits, and held at 292 years")
  func readsMilliseconds() {
    #expect(milliseconds("1") == .milliseconds(1))
    #expect(milliseconds("250") == .milliseconds(250))
    #expect(milliseconds("0000000000000000250") == .milliseconds(250))
    #expect(milliseconds("9223372036854") == .milliseconds(9_223_372_036_854))
    #expect(milliseconds("9223372036855") == Self.longest)
    #expect(milliseconds("9999999999999999999") == Self.longest)
  }

  @Test("DL-2: zero is a deadline that has passed")
  func zero() {
    for text in Self.units.map({ "0\($0.symbol)" }) + ["00000000n"] {
      #expect(Deadline(grpcTimeout: text, clock: clock)?.isExpired == true)
    }
    #expect(Deadline(decimalMilliseconds: "0", clock: clock)?.isExpired == true)
    #expect(Deadline(decimalMilliseconds: "000", clock: clock)?.isExpired == true)
  }

  @Test("DL-2: what is read counts from now, on the clock that is given")
  func countsFromNow() {
    clock.advance(by: .seconds(100))
    let deadlines = [
      Deadline(grpcTimeout: "5S", clock: clock),
      Deadline(decimalMilliseconds: "5000", clock: clock),
    ]
    clock.advance(by: .seconds(2))
    #expect(deadlines.map { $0?.remaining } == [.seconds(3), .seconds(3)])
    #expect(Deadline(grpcTimeout: "500S").map { $0.remaining > .seconds(400) } == true)
    #expect(Deadline(decimalMilliseconds: "500000").map { $0.remaining > .seconds(400) } == true)
  }

  @Test("DL-2: a part of a header is read as it stands")
  func substrings() {
    let header = "grpc-timeout: 15m"
    #expect(grpc(header.suffix(3)) == .milliseconds(15))
    #expect(grpc(header.suffix(4)) == nil)
    #expect(milliseconds(header.dropLast().suffix(2)) == .milliseconds(15))
  }

  // MARK: - Hostile values

  static let hostile: [String] = [
    "", " ", "+", "-", "\0", "+1", "-1", "-0", "1.5", "1e3", "0x10", "1 ", " 1", "1\n", "1\r\n",
    "1,2",
    "1_000", "\0" + "1", "1\0", "\u{0661}", "\u{FF11}", "1\u{0661}", "\u{B9}", "\u{2460}",
    "1\u{301}", "\u{FEFF}1", "nan", "inf", "\u{1F550}",
  ]

  @Test("DL-2: whatever is no number gives nil, with a unit and without", arguments: hostile)
  func hostileNumbers(_ text: String) {
    #expect(milliseconds(text) == nil)
    #expect(grpc(text) == nil)
    for (symbol, _) in Self.units { #expect(grpc(text + symbol) == nil) }
  }

  @Test(
    "DL-2: whatever is no unit gives nil",
    arguments: [
      "1", "12345678", "999999999", "999999999H", "123456789n", "000000001n", "1SS", "1S ", "1S\0",
      "1h", "1s", "1U", "1N", "1ms", "1us", "1\u{B5}", "1\u{3BC}", "1S1", "S1", "H", "n",
      "1n\u{301}",
      "1\u{FF33}", "1\u{0421}", "18446744073709551616n", "1S,2S",
    ])
  func hostileUnits(_ text: String) {
    #expect(grpc(text) == nil)
  }

  @Test(
    "DL-2: numbers of twenty digits and more give nil, without a trap",
    arguments: [
      "18446744073709551616", "99999999999999999999", "00000000000000000001",
      "340282366920938463463374607431768211456",
    ])
  func tooManyDigits(_ text: String) {
    #expect(milliseconds(text) == nil)
  }

  @Test("DL-2: of ten megabytes no more is looked at than a valid value can have")
  func enormous() {
    for text in ["9", "0", " ", "S", "\u{FF11}", "\0", "1\u{301}"] {
      let enormous = String(repeating: text, count: 10_000_000 / text.utf8.count)
      // Would take many times the time limit if all of it were looked at.
      for _ in 0..<10_000 {
        #expect(grpc(enormous) == nil)
        #expect(milliseconds(enormous[...]) == nil)
      }
    }
  }

  // MARK: - Rendering

  @Test("DL-2: gRPC's value is in the finest unit that eight digits hold, rounded down")
  func rendersGRPC() {
    let second = 1_000_000_000 as Int64
    let expected: [(Int64, String)] = [
      (1, "1n"), (99_999_999, "99999999n"), (100_000_000, "100000u"), (100_000_999, "100000u"),
      (99_999_999_999, "99999999u"), (100_000_000_000, "100000m"),
      (99_999_999 * 1_000_000 + 999_999, "99999999m"), (100_000 * second, "100000S"),
      (99_999_999 * second + second - 1, "99999999S"), (100_000_000 * second, "1666666M"),
      (99_999_999 * 60 * second + 60 * second - 1, "99999999M"),
      (100_000_000 * 60 * second, "1666666H"), (.max, "2562047H"),
    ]
    for (nanoseconds, text) in expected {
      #expect(deadline(in: .nanoseconds(nanoseconds)).grpcTimeout == text)
    }
    #expect(deadline(in: Duration(attoseconds: .max)).grpcTimeout == "2562047H")
  }

  @Test("DL-2: milliseconds are whole ones, rounded down")
  func rendersMilliseconds() {
    let expected: [(Int64, String)] = [
      (1, "0"), (999_999, "0"), (1_000_000, "1"), (1_999_999, "1"), (2_500_000_000, "2500"),
      (.max, "9223372036854"),
    ]
    for (nanoseconds, text) in expected {
      #expect(deadline(in: .nanoseconds(nanoseconds)).decimalMilliseconds == text)
    }
  }

  @Test("DL-2: a deadline that has passed is rendered as zero, and read back as one that has")
  func rendersPassed() {
    for duration in [Duration.zero, .seconds(-1), Duration(attoseconds: .min)] {
      let passed = deadline(in: duration)
      #expect(passed.grpcTimeout == "0n")
      #expect(passed.decimalMilliseconds == "0")
      #expect(grpc(passed.grpcTimeout) == .zero)
      #expect(milliseconds(passed.decimalMilliseconds) == .zero)
    }
  }

  @Test("DL-2: what is rendered is what remains at that moment")
  func rendersRemaining() {
    let deadline = deadline(in: .seconds(90))
    var rendered: [String] = []
    for _ in 0..<4 {
      rendered += [deadline.grpcTimeout, deadline.decimalMilliseconds]
      clock.advance(by: .seconds(30) - .nanoseconds(1))
    }
    #expect(
      rendered == ["90000000u", "90000", "60000000u", "60000", "30000000u", "30000", "3n", "0"])
  }

  // MARK: - There and back

  /// Around every power of ten and every unit, and anywhere between.
  static var durations: [Int64] {
    var dice = Dice(seed: 2)
    var durations: [Int64] = [1, .max, .max - 1]
    for (_, unit) in units {
      for number in [1, 99_999_999, 100_000_000] as [Int64] {
        let (edge, isTooFar) = unit.multipliedReportingOverflow(by: number)
        if !isTooFar { durations += [edge - 1, edge, edge + 1].filter { $0 > 0 } }
      }
    }
    for _ in 0..<20_000 {
      let bits = Int.random(in: 1...63, using: &dice)
      durations.append(max(1, Int64.random(in: 1 ... .max, using: &dice) >> (63 - bits)))
    }
    return durations
  }

  @Test("DL-2: gRPC's value comes back earlier by less than its unit, which is the finest possible")
  func roundTripOfGRPC() throws {
    for nanoseconds in Self.durations {
      let sent = deadline(in: .nanoseconds(nanoseconds))
      let text = sent.grpcTimeout
      let index = try #require(Self.units.firstIndex { text.hasSuffix($0.symbol) })
      let lost = try sent.remaining - #require(grpc(text))
      let isWithinUnit = lost >= .zero && lost < .nanoseconds(Self.units[index].nanoseconds)
      let needsUnit = index == 0 || nanoseconds / Self.units[index - 1].nanoseconds > 99_999_999
      // A second hop loses nothing more.
      let again = try #require(Deadline(grpcTimeout: text, clock: clock)).grpcTimeout
      guard !isWithinUnit || !needsUnit || grpc(again) != grpc(text) else { continue }
      Issue.record("\(nanoseconds) became \(text), then \(again)")
    }
  }

  @Test("DL-2: milliseconds come back earlier by less than a millisecond")
  func roundTripOfMilliseconds() throws {
    for nanoseconds in Self.durations {
      let sent = deadline(in: .nanoseconds(nanoseconds))
      let text = sent.decimalMilliseconds
      let lost = try sent.remaining - #require(milliseconds(text))
      guard lost < .zero || lost >= .milliseconds(1) else { continue }
      Issue.record("\(nanoseconds) became \(text)")
    }
  }

  // MARK: - Anything

  @Test("DL-2: of 200 000 random texts those are read that the grammar has, and as it says")
  func random() {
    var dice = Dice(seed: 1)
    var read = 0
    for _ in 0..<200_000 {
      let text = Self.anyText(&dice)
      let (naiveGRPC, naiveMilliseconds) = (Naive.grpc(text), Naive.milliseconds(text))
      if naiveGRPC != nil || naiveMilliseconds != nil { read += 1 }
      if grpc(text) == naiveGRPC, milliseconds(text) == naiveMilliseconds { continue }
      Issue.record("\(text.debugDescription)")
    }
    #expect(read > 20_000 && read < 180_000)
  }

  /// Mostly what looks like a timeout; sometimes any bytes.
  private static func anyText(_ dice: inout Dice) -> String {
    let alphabet = Array("0123456789012345678901234567890123456789".utf8)
    let symbols = Array("HMSmunHMSmunHMSmun hs+-.\0\u{B5}".utf8)
    var bytes = (0..<Int.random(in: 0...22, using: &dice)).map { _ in
      alphabet.randomElement(using: &dice) ?? 0
    }
    if Bool.random(using: &dice) { bytes = Array(bytes.prefix(9)) }
    if Bool.random(using: &dice), let symbol = symbols.randomElement(using: &dice) {
      bytes.append(symbol)
    }
    for _ in 0..<3 where Int.random(in: 0..<8, using: &dice) == 0 {
      let place = Int.random(in: 0...bytes.count, using: &dice)
      bytes.insert(.random(in: 0...(.max), using: &dice), at: place)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The grammar, read in the plainest way.
  private enum Naive {
    static func grpc(_ text: String) -> Duration? {
      let bytes = Array(text.utf8)
      guard let last = bytes.last, let number = number(bytes.dropLast(), atMost: 8) else {
        return nil
      }
      guard let unit = units.first(where: { Array($0.symbol.utf8) == [last] }) else { return nil }
      return min(.nanoseconds(unit.nanoseconds) * number, longest)
    }

    static func milliseconds(_ text: String) -> Duration? {
      guard let number = number(Array(text.utf8)[...], atMost: 19) else { return nil }
      return min(.milliseconds(1) * number, longest)
    }

    private static func number(_ bytes: ArraySlice<UInt8>, atMost limit: Int) -> Int128? {
      guard (1...limit).contains(bytes.count), bytes.allSatisfy({ 48...57 ~= $0 }) else {
        return nil
      }
      return Int128(String(decoding: bytes, as: UTF8.self))
    }
  }
}
