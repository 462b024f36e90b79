import Resilience
import Testing

@Suite("CR-1: criticality")
struct CriticalityTests {
  struct Mishap: Error {}

  struct Token: ~Copyable {
    let number: Int
  }

  @Test("levels are in order, from what is refused first")
  func order() {
    #expect(Criticality.allCases.sorted() == [.sheddable, .normal, .critical])
    #expect(Criticality.sheddable < .normal && Criticality.normal < .critical)
    #expect(!(Criticality.normal < .normal))
    #expect([Criticality.normal, .critical, .sheddable].max() == .critical)
  }

  @Test("raw values are words for a header")
  func words() {
    #expect(Criticality.allCases.map(\.rawValue) == ["sheddable", "normal", "critical"])
    #expect(Criticality(rawValue: "critical") == .critical)
    #expect(Criticality(rawValue: "Critical") == nil)
  }

  @Test("normal unless told otherwise, and only in its scope")
  func scope() async throws {
    #expect(Criticality.current == .normal)
    try await Criticality.critical.run {
      #expect(Criticality.current == .critical)
      try await Criticality.sheddable.run { #expect(Criticality.current == .sheddable) }
      #expect(Criticality.current == .critical)
      do {
        try await Criticality.normal.run { throw Mishap() }
        Issue.record("no error")
      } catch { #expect(error is Mishap) }
      #expect(Criticality.current == .critical)
    }
    #expect(Criticality.current == .normal)
  }

  @Test("child tasks and unstructured ones inherit it; a detached one does not")
  func inherited() async throws {
    try await Criticality.sheddable.run {
      async let child = Criticality.current
      let group = await withTaskGroup { group in
        group.addTask { Criticality.current }
        return await group.next()
      }
      let unstructured = await Task { Criticality.current }.value
      let detached = await Task.detached { Criticality.current }.value
      let inherited = await [child, group, unstructured]
      #expect(inherited == [.sheddable, .sheddable, .sheddable])
      #expect(detached == .normal)
    }
  }

  @Test("what the operation returns passes through, also what cannot be copied")
  func returns() async throws {
    let token = try await Criticality.critical.run { Token(number: 7) }
    #expect(token.number == 7)
  }
}

// MARK: - Isolation

/// The bodies here never mention `self`, as in ``IsolationTests``.
extension CriticalityTests {
  typealias Home = IsolationTests.Home
  typealias Ledger = IsolationTests.Ledger

  static func bind(_ home: Home) async throws {
    let ledger = Ledger()
    for criticality in Criticality.allCases {
      let same = try await criticality.run {
        home.check()
        ledger.entries += 1
        await home.leave()
        #expect(Criticality.current == criticality)
        try await Criticality.normal.run {
          home.check()
          await home.leave()
          ledger.entries += 1
        }
        home.check()
        return ledger
      }
      home.check()
      #expect(same === ledger)
      do {
        try await criticality.run {
          home.check()
          throw Mishap()
        }
      } catch { home.check() }
    }
    #expect(ledger.entries == 6)
  }

  actor Clerk {
    func bind() async throws {
      preconditionIsolated()
      try await CriticalityTests.bind(Home(actor: self))
    }

    /// The closures are the actor's own.
    func bindOwn() async throws {
      let home = Home(actor: self)
      let ledger = Ledger()
      try await Criticality.critical.run {
        home.check()
        await home.leave()
        ledger.entries += 1
      }
      preconditionIsolated()
      #expect(ledger.entries == 1)
    }
  }

  @Test("the operation runs where the caller is: an actor, through a function isolated to nothing")
  func actor() async throws {
    try await Clerk().bind()
    try await Clerk().bindOwn()
  }

  @MainActor
  @Test("the operation runs where the caller is: the main actor, through such a function")
  func mainActor() async throws {
    MainActor.preconditionIsolated()
    try await Self.bind(Home(actor: MainActor.shared))
  }
}
