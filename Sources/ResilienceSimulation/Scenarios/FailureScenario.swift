/// One of the ten failure scenarios: what goes wrong, in its variants, and what is measured of it.
public struct FailureScenario: Sendable {
  /// Its number, from 1 on.
  public let number: Int

  /// A few words.
  public let title: String

  /// What goes wrong, in a sentence.
  public let summary: String

  /// The forms in which it is run.
  public let variants: [Variant]

  /// One form of a failure scenario.
  public struct Variant: Sendable {
    /// A few words that tell it from the others; empty if there is one only.
    public let name: String

    /// What the clients go through.
    public let scenario: Scenario

    /// What is measured of it.
    public let figures: [Figure]

    /// Makes a variant; one without a name is the only one of its failure scenario.
    public init(name: String = "", scenario: Scenario, figures: [Figure]) {
      self.name = name
      self.scenario = scenario
      self.figures = figures
    }
  }

  /// Makes a failure scenario of your own, for a ``Campaign`` beside the ten or in their place.
  ///
  /// - Parameters:
  ///   - number: what it is called by, beside its title.
  ///   - title: a few words.
  ///   - summary: what goes wrong, in a sentence.
  ///   - variants: the forms in which it is run.
  public init(number: Int, title: String, summary: String, variants: [Variant]) {
    self.number = number
    self.title = title
    self.summary = summary
    self.variants = variants
  }
}

/// Something that is measured of a trial, and what it should be.
public struct Figure: Sendable {
  /// How a figure is written.
  public enum Unit: String, Hashable, Codable, Sendable {
    /// Whole seconds.
    case seconds
    /// Milliseconds.
    case milliseconds
    /// A share, written with three digits.
    case share
    /// A ratio, written with two digits.
    case ratio
    /// A whole number.
    case count
  }

  /// What it is called.
  public let name: String

  /// How it is written.
  public let unit: Unit

  /// What it should be; `nil` for what is only reported.
  public let target: Target?

  /// Whether the mean over the seeds is held against the target, rather than the worst of them.
  public let isMean: Bool

  /// Reads it from a trial; `nil` means never, which is worse than any number.
  public let measure: @Sendable (TrialResult) -> Double?

  /// Makes a figure.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - unit: how it is written.
  ///   - target: what it should be; by default it is only reported.
  ///   - isMean: whether the mean over the seeds is judged, rather than the worst of them.
  ///   - measure: reads it from a trial.
  public init(
    _ name: String, _ unit: Unit, _ target: Target? = nil, isMean: Bool = false,
    _ measure: @escaping @Sendable (TrialResult) -> Double?
  ) {
    self.name = name
    self.unit = unit
    self.target = target
    self.isMean = isMean
    self.measure = measure
  }
}

/// What a figure should be.
public enum Target: Hashable, Sendable {
  /// No more than this.
  case atMost(Double)

  /// No less than this.
  case atLeast(Double)

  /// No more than `factor` times what another stack has, and `extra` on top, in the same trial.
  case atMostOf(stack: String, factor: Double, extra: Double)

  /// No less than `factor` times what another stack has, less `margin`, in the same trial.
  case atLeastOf(stack: String, factor: Double, margin: Double)

  /// One target with 20 clients or fewer, another one with more; `nil` is not judged.
  indirect case bySize(small: Target?, large: Target?)

  /// Whether it is for some stacks only, by name; the others are reported without a verdict.
  indirect case only([String], Target)
}
