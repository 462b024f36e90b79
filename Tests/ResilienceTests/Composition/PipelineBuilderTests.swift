import Resilience
import Testing

@Suite("PL-1: what may stand in a pipeline")
struct PipelineBuilderTests {
  struct Ticket: ~Copyable {
    let number: Int
  }

  private static func names(_ policy: some ConcurrentPolicy) -> [String] {
    policy.layers.map(\.name)
  }

  private static func named(_ name: String) -> Placeholder { Placeholder(.other, name) }

  private static func runsWhereTheCallerIs(_ policy: any ConcurrentPolicy) -> Bool {
    policy is any ResiliencePolicy
  }

  @Test("PL-1: a lone policy, and pipelines in pipelines")
  func nesting() async throws {
    let lone = Pipeline { Self.named("a") }
    let nested = Pipeline {
      lone
      Pipeline {
        Self.named("b")
        Pipeline { Self.named("c") }
      }
      Self.named("d")
    }
    #expect(Self.names(lone) == ["a"])
    #expect(Self.names(nested) == ["a", "b", "c", "d"])
    #expect(try await lone.run { 1 } == 1)
    #expect(try await nested.run { 2 } == 2)
  }

  @Test("PL-1: branches, taken and not taken", arguments: [false, true])
  func branches(isTaken: Bool) async throws {
    let name: String? = isTaken ? "bound" : nil
    let number = isTaken ? 2 : 0
    let pipeline = Pipeline {
      if isTaken { Self.named("if") }
      if let name {
        Self.named(name)
        Self.named("second")
      }
      if isTaken {
        Self.named("then")
      } else {
        Repeating(count: 2)
        Self.named("else")
      }
      switch number {
      case 0: Self.named("zero")
      case 1: Repeating(count: 3)
      default: Spy("many", Journal())
      }
    }
    let names = Self.names(pipeline)
    let expected =
      isTaken
      ? ["if", "bound", "second", "then", "Spy"] : ["Repeating", "else", "zero"]
    #expect(names == expected)
    let attempts = try await pipeline.run { execution in
      execution.attempt
    } failingWhen: {
      $0 == 1
    }
    #expect(attempts == (isTaken ? 1 : 2))
  }

  @Test("PL-1: a policy that not every system has")
  func availability() async throws {
    let pipeline = Pipeline {
      if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) {
        Repeating(count: 2)
      }
      if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) {
        Self.named("new")
      } else {
        Self.named("old")
      }
    }
    #expect(Self.runsWhereTheCallerIs(pipeline))
    #expect(Self.names(pipeline) == ["Repeating", "new"])
    let ticket = try await pipeline.run {
      Ticket(number: $0.attempt)
    } failingWhen: {
      $0.number == 1
    }
    #expect(ticket.number == 2)

    let concurrent = Pipeline {
      if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) {
        ConcurrentPlaceholder()
      }
    }
    #expect(!Self.runsWhereTheCallerIs(concurrent))
    #expect(try await concurrent.run { $0.attempt } == 1)
  }

  @Test("PL-1: policies whose types are known at run time only")
  func erased() async throws {
    let policy: any ResiliencePolicy = Repeating(count: 2)
    let concurrent: any ConcurrentPolicy = ConcurrentPlaceholder()
    let strong = Pipeline {
      AnyResiliencePolicy(policy)
      Self.named("a")
    }
    let weak = Pipeline {
      Self.named("a")
      AnyConcurrentPolicy(concurrent)
    }
    #expect(Self.runsWhereTheCallerIs(strong))
    #expect(!Self.runsWhereTheCallerIs(weak))
    #expect(Self.names(strong) == ["Repeating", "a"])
    #expect(Self.names(weak) == ["a", "ConcurrentPlaceholder"])
    let ticket = try await strong.run {
      Ticket(number: $0.attempt)
    } failingWhen: {
      $0.number == 1
    }
    #expect(ticket.number == 2)
    #expect(try await weak.run { 3 } == 3)
  }

  @Test("PL-1: without any branch taken the operation runs as it is", arguments: [false, true])
  func noPolicy(isTaken: Bool) async throws {
    let pipeline = Pipeline {
      if isTaken { Repeating(count: 2) }
    }
    let ticket = try await pipeline.run {
      Ticket(number: $0.attempt)
    } failingWhen: {
      $0.number == 1
    }
    #expect(ticket.number == (isTaken ? 2 : 1))
    let attempt = try await pipeline.execute(
      Execution(attempt: 3), concurrently: { Graded($0.attempt) })
    #expect(attempt.value == 3)
  }

  @Test("PL-4: the compiler sees every policy of a pipeline, those of branches as well")
  func types() {
    let isTaken = true
    let pipeline = Pipeline {
      Self.named("a")
      ConcurrentPlaceholder()
      if isTaken { Self.named("b") }
      if isTaken { Self.named("c") } else { ConcurrentPlaceholder() }
    }
    typealias Pair = PolicyStack<Placeholder, ConcurrentPlaceholder>
    typealias Branches = EitherPolicy<Placeholder, ConcurrentPlaceholder>
    typealias Whole = PolicyStack<PolicyStack<Pair, OptionalPolicy<Placeholder>>, Branches>
    #expect(type(of: pipeline) == Pipeline<Whole>.self)
  }

  @Test("PL-1: a pipeline runs where the caller is if all of its policies do")
  func conformance() {
    let isTaken = true
    let strong: [any ConcurrentPolicy] = [
      Pipeline { Self.named("a") },
      Pipeline {
        Self.named("a")
        if isTaken { Self.named("b") }
        if isTaken { Self.named("c") } else { Repeating(count: 2) }
        Pipeline { Self.named("d") }
      },
    ]
    let weak: [any ConcurrentPolicy] = [
      Pipeline { ConcurrentPlaceholder() },
      Pipeline {
        ConcurrentPlaceholder()
        Self.named("a")
      },
      Pipeline {
        Self.named("a")
        ConcurrentPlaceholder()
      },
      Pipeline {
        Self.named("a")
        if !isTaken { ConcurrentPlaceholder() }
      },
      Pipeline {
        if isTaken { Self.named("a") } else { ConcurrentPlaceholder() }
      },
      Pipeline {
        Self.named("a")
        Pipeline { ConcurrentPlaceholder() }
      },
    ]
    #expect(strong.map(Self.runsWhereTheCallerIs) == strong.map { _ in true })
    #expect(weak.map(Self.runsWhereTheCallerIs) == weak.map { _ in false })
  }

  @Test("PL-1: a pipeline that can run where the caller is does, also where it need not")
  func runsWhereTheCallerIs() async throws {
    let journal = Journal()
    let isTaken = true
    let pipeline = Pipeline {
      Fork(journal: journal)
      if isTaken { Fork(journal: journal) }
      if isTaken { Fork(journal: journal) } else { Self.named("a") }
    }
    #expect(try await pipeline.run { 1 } == 1)
    #expect(try await pipeline.run { _ in 2 } == 2)
    let answer = try await pipeline.run {
      3
    } failingWhen: { _ in
      true
    } fallback: { _ in
      4
    }
    #expect(answer == 4)
    let graded = try await pipeline.execute(Execution()) { _ in Graded(5) }
    #expect(graded.value == 5)
    #expect(journal.all == Array(repeating: "where the caller is", count: 12))
  }

  @Test("PL-1: a pipeline with a concurrent policy calls all others concurrently")
  func runsConcurrently() async throws {
    let journal = Journal()
    let pipeline = Pipeline {
      Fork(journal: journal)
      ConcurrentPlaceholder()
      Fork(journal: journal)
    }
    #expect(try await pipeline.run { 1 } == 1)
    #expect(journal.all == ["concurrently", "concurrently"])
  }

  @Test("PL-1: a pipeline with a concurrent policy has every call site of those")
  func concurrent() async throws {
    let breaker = CircuitBreaker("users", tripping: .consecutiveFailures(9), over: .sinceTransition)
    let isTaken = true
    let pipeline = Pipeline {
      Repeating(count: 2)
      ConcurrentPolicyTests.Race()
      if isTaken { breaker }
      if isTaken { Self.named("a") } else { ConcurrentPlaceholder() }
    }
    #expect(try await pipeline.run { 1 } == 1)
    let attempt = try await pipeline.run { execution in
      execution.attempt
    } failingWhen: {
      $0 == 1
    }
    #expect(attempt == 2)
    let answer = try await pipeline.run {
      503
    } failingWhen: {
      $0 == 503
    } fallback: { error in
      error is FailedResultError ? 4 : 5
    }
    #expect(answer == 4)
    let counts = breaker.snapshot().counts
    #expect([counts.successes, counts.failures, counts.inFlight] == [4, 6, 0])
  }

  @Test("PL-1: twelve policies")
  func many() async throws {
    let pipeline = Pipeline {
      Self.named("1")
      Self.named("2")
      Self.named("3")
      Self.named("4")
      Self.named("5")
      Self.named("6")
      Self.named("7")
      Self.named("8")
      Self.named("9")
      Self.named("10")
      Self.named("11")
      Self.named("12")
    }
    #expect(Self.names(pipeline) == (1...12).map(String.init))
    let ticket = try await pipeline.run { Ticket(number: 7) }
    #expect(ticket.number == 7)
  }
}
