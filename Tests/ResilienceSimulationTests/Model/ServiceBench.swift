import Resilience
import ResilienceTesting

@testable import ResilienceSimulation

/// What became of one request, and when.
struct Answer: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case served, failed, overloaded, cancelled, other
  }

  let kind: Kind
  let time: Duration

  init(_ kind: Kind, at time: Duration) {
    self.kind = kind
    self.time = time
  }

  static func served(_ milliseconds: Int) -> Answer {
    Answer(.served, at: .milliseconds(milliseconds))
  }

  static func failed(_ milliseconds: Int) -> Answer {
    Answer(.failed, at: .milliseconds(milliseconds))
  }

  static func overloaded(_ milliseconds: Int) -> Answer {
    Answer(.overloaded, at: .milliseconds(milliseconds))
  }

  static func cancelled(_ milliseconds: Int) -> Answer {
    Answer(.cancelled, at: .milliseconds(milliseconds))
  }
}

/// A service without anybody's policies before it.
struct ServiceBench: Sendable {
  let service: Service
  let clock: VirtualClock
  private let journal: Journal

  init(
    _ model: ServiceModel = .steady(), on clock: VirtualClock, seed: UInt64 = 1,
    guardian: (any ConcurrentPolicy)? = nil
  ) {
    var dice = Dice(seed: seed)
    // All of a test lies in the first stretch.
    var scenario = Scenario("bench")
    scenario.warmUp = .seconds(100_000)
    scenario.watch = .zero
    self.clock = clock
    journal = Journal(Plan(scenario, &dice), isTracing: false)
    dice = Dice(seed: seed)
    service = Service(model, clock: clock, journal: journal, guardian: guardian, dice: &dice)
  }

  /// Sends a request at once.
  ///
  /// - Returns: the client's task; cancel it to hang up.
  func send(
    _ request: Request = Request(client: 0), deadline: Deadline? = nil
  ) -> Task<Answer, Never> {
    Task(executorPreference: clock.executor) {
      let kind: Answer.Kind
      do {
        try await service.call(request, deadline: deadline)
        kind = .served
      } catch ServiceError.failed {
        kind = .failed
      } catch ServiceError.overloaded {
        kind = .overloaded
      } catch is CancellationError {
        kind = .cancelled
      } catch {
        kind = .other
      }
      return Answer(kind, at: clock.now.offset)
    }
  }

  /// What is wrong from now on.
  func meet(_ troubles: Trouble...) {
    let (start, end) = (clock.now, VirtualClock.Instant(offset: .seconds(100_000)))
    service.meet(troubles.map { Occurrence(trouble: $0, start: start, end: end) })
  }

  /// What becomes of so many requests that are sent now.
  func answers(to count: Int, _ request: Request = Request(client: 0)) async -> [Answer] {
    let tasks = (0..<count).map { _ in send(request) }
    var answers: [Answer] = []
    for task in tasks { answers.append(await task.value) }
    return answers
  }

  /// What the journal says.
  var calls: Tally {
    journal.result(of: Scenario("bench"), stack: "", clients: 1, seed: 0, leftoverTimers: 0).calls()
  }
}

extension ServiceModel {
  /// A service that takes 10 ms for each request.
  static func steady(
    workers: Int = 1, queueLimit: Int = 100, refusalCost: Double = 0
  ) -> ServiceModel {
    ServiceModel(
      workers: workers, queueLimit: queueLimit, serviceTime: .constant(.milliseconds(10)),
      refusalCost: refusalCost)
  }
}

/// No policy at all.
struct Direct: ConcurrentPolicy {
  func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await operation(execution)
  }
}

extension Stack {
  /// Each call is one request, for as long as it takes.
  static var direct: Stack { Stack("direct") { _ in Direct() } }
}
