// Deadlines travel as what remains of them: two machines share no clock. What comes from a wire may be
// anything, so no more of it is looked at than a valid value can have.

extension Deadline {
  /// The deadline of a caller who sent gRPC's `grpc-timeout`: one to eight ASCII digits and a unit,
  /// `H`, `M`, `S`, `m` (milliseconds), `u` (microseconds) or `n`.
  ///
  /// Everything else gives `nil`, in constant time however long it is: nine digits, a sign, a
  /// space, digits of another script. Zero is no valid timeout, but senders have sent it for one
  /// that was used up; it gives a deadline that has passed. Timeouts beyond 292 years are held at
  /// that.
  ///
  /// - Parameters:
  ///   - text: the value of the header.
  ///   - clock: what the deadline is counted on, from now.
  ///
  /// [gRPC over HTTP2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests)
  public init?(
    grpcTimeout text: some StringProtocol, clock: any Clock<Duration> = ContinuousClock()
  ) {
    var bytes = text.utf8.makeIterator()
    guard let (number, symbol) = bytes.readNumber(ofAtMost: GRPCUnit.digits),
      let unit = GRPCUnit(symbol: symbol), bytes.next() == nil
    else { return nil }
    self.init(number, of: unit.nanoseconds, on: clock)
  }

  /// What remains, as the value of gRPC's `grpc-timeout`: in the finest unit in which eight digits
  /// hold it, rounded down, so that the server gives up no later than the caller.
  ///
  /// A deadline that has passed reads `0n`. The specification has no zero; servers take it for what it
  /// is, but not all always have (grpc-go 1.73.0 called it malformed): better make no call once
  /// ``isExpired``.
  ///
  /// [gRPC over HTTP2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests)
  public var grpcTimeout: String {
    let remaining = remaining.saturatingNanoseconds
    let unit = GRPCUnit.finest(holding: remaining)
    return "\(remaining / unit.nanoseconds)\(unit)"
  }

  /// The deadline of a caller who sent milliseconds: one to nineteen ASCII digits, and nothing
  /// else, as in Envoy's `x-envoy-expected-rq-timeout-ms`.
  ///
  /// Everything else gives `nil`, in constant time however long it is. Zero gives a deadline that
  /// has passed. Timeouts beyond 292 years are held at that.
  ///
  /// - Parameters:
  ///   - text: the value of the header.
  ///   - clock: what the deadline is counted on, from now.
  ///
  /// [Envoy's router](https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter)
  public init?(
    decimalMilliseconds text: some StringProtocol, clock: any Clock<Duration> = ContinuousClock()
  ) {
    var bytes = text.utf8.makeIterator()
    // 64 bits hold any nineteen digits.
    guard let (number, rest) = bytes.readNumber(ofAtMost: 19), rest == nil else { return nil }
    self.init(number, of: 1_000_000, on: clock)
  }

  /// What remains in whole milliseconds, rounded down, so that the server gives up no later than
  /// the caller.
  ///
  /// Less than a millisecond reads `0`, as does a deadline that has passed. Some receivers take zero
  /// for "no limit": make no call with it.
  public var decimalMilliseconds: String {
    "\(remaining.saturatingNanoseconds / 1_000_000)"
  }

  private init(_ number: UInt64, of unit: Int64, on clock: any Clock<Duration>) {
    let nanoseconds = Int64(clamping: Int128(number) * Int128(unit))
    self.init(in: .nanoseconds(nanoseconds), clock: clock)
  }
}

/// The units of gRPC's timeouts, from the finest on.
private enum GRPCUnit: String, CaseIterable, CustomStringConvertible {
  case nanosecond = "n"
  case microsecond = "u"
  case millisecond = "m"
  case second = "S"
  case minute = "M"
  case hour = "H"

  /// How many digits a timeout may have.
  static let digits = 8

  init?(symbol: UInt8?) {
    guard let symbol else { return nil }
    self.init(rawValue: String(UnicodeScalar(symbol)))
  }

  /// The finest unit in which the duration has few enough digits; hours hold whatever a deadline
  /// can say.
  static func finest(holding nanoseconds: Int64) -> GRPCUnit {
    allCases.first { nanoseconds / $0.nanoseconds < 100_000_000 } ?? .hour
  }

  var nanoseconds: Int64 {
    switch self {
    case .nanosecond: 1
    case .microsecond: 1_000
    case .millisecond: 1_000_000
    case .second: 1_000_000_000
    case .minute: 60_000_000_000
    case .hour: 3_600_000_000_000
    }
  }

  var description: String { rawValue }
}

extension IteratorProtocol<UInt8> {
  /// Reads ASCII digits, and the byte after them.
  ///
  /// - Parameter limit: how many digits to read at most; nineteen fit. The byte after so many may be
  ///   one more.
  /// - Returns: nothing if there is no digit.
  fileprivate mutating func readNumber(
    ofAtMost limit: Int
  ) -> (number: UInt64, next: UInt8?)? {
    var number: UInt64 = 0
    for count in 0..<limit {
      let byte = next()
      guard let byte, case UInt8(ascii: "0")...UInt8(ascii: "9") = byte else {
        return count > 0 ? (number, byte) : nil
      }
      number = number * 10 + UInt64(byte - UInt8(ascii: "0"))
    }
    return (number, next())
  }
}
