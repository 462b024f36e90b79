extension Retry {
  /// What to do about a failed attempt.
  public struct Decision: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
      case retry(hint: Duration?)
      case accept
      case stop
    }

    let kind: Kind

    /// Try again: after the backoff, or what the error's ``RetryAfterHint`` asks for if that is
    /// longer.
    public static let retry = Decision(kind: .retry(hint: nil))

    /// Try again after so long: at least the backoff, at most the hint cap.
    public static func retry(after hint: Duration) -> Decision {
      Decision(kind: .retry(hint: hint))
    }

    /// Do not try again: the error is an answer, such as that there is no such user. It is the
    /// caller's, and a success to the budget.
    public static let accept = Decision(kind: .accept)

    /// Do not try again: the error is the caller's.
    public static let stop = Decision(kind: .stop)
  }

  /// What to do about the rejections of policies inside.
  public struct Rejections: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable, Sendable { case stop, wait }

    private let kind: Kind

    /// Do not try again: who is refused for lack of capacity does not help by asking more often.
    public static let stop = Rejections(kind: .stop)

    /// Try again after the time that the rejection gives, if it gives one that is not longer than
    /// the hint cap and fits the deadline.
    public static let waitForRetryAfter = Rejections(kind: .wait)

    /// The choice in words, for a log.
    public var description: String {
      self == .stop ? "stops at rejections" : "waits for rejections"
    }
  }

  /// How many attempts a retry makes that runs inside another's attempt.
  public struct Nesting: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable, Sendable { case once, allowed }

    private let kind: Kind

    /// One: the retry outside repeats it. Three layers of a program, each with three attempts, make
    /// three calls at the bottom, not 27.
    public static let once = Nesting(kind: .once)

    /// As many as anywhere else: they multiply.
    public static let allowed = Nesting(kind: .allowed)

    /// The choice in words, for a log.
    public var description: String {
      self == .once ? "one attempt inside another retry" : "all attempts inside another retry"
    }
  }

  /// The settings of a retry, as a value that can be built and validated at run time.
  public struct Configuration: Sendable, CustomStringConvertible {
    /// How many attempts a call makes at most, the first among them; `.max` for no end.
    public var maxAttempts: Int

    /// How long to wait before the next attempt.
    public var backoff: Backoff

    /// The longest wait that an error's ``RetryAfterHint`` can ask for.
    public var hintCap: Duration

    /// What to do about the rejections of policies inside.
    public var rejections: Rejections

    /// How many attempts are made inside another retry's attempt.
    public var nesting: Nesting

    /// The recommended settings, unless told otherwise; ``Retry`` says what they are.
    public init(
      maxAttempts: Int = 3,
      backoff: Backoff = .exponential(from: .milliseconds(50)),
      hintCap: Duration = .seconds(30),
      rejections: Rejections = .stop,
      nesting: Nesting = .once
    ) {
      self.maxAttempts = maxAttempts
      self.backoff = backoff
      self.hintCap = hintCap
      self.rejections = rejections
      self.nesting = nesting
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A retry made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      validation.require(maxAttempts >= 1, "maxAttempts", is: maxAttempts, allowed: "1...")
      backoff.validate(&validation)
      validation.require(hintCap >= .zero, "hintCap", is: hintCap, allowed: "zero or more")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      let attempts = maxAttempts == .max ? "attempts without end" : "\(maxAttempts) attempts"
      return "\(attempts), backoff \(backoff), hints up to \(hintCap), \(rejections), \(nesting)"
    }
  }
}
