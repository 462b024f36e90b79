import ResilienceTesting
import Synchronization

// In these files the library is the real one, not its twin: hence `Resilience.Bulkhead`.

/// Calls that run at once on the loop of a clock, and somebody who cancels one of them.
///
/// The order of everything they do is the schedule's: also where the cancellation comes.
final class Cast: Sendable {
  private struct State {
    var told: [String]
    var running: Int
    var audience: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>

  private init(_ calls: Int) {
    state = Mutex(State(told: Array(repeating: "", count: calls), running: calls, audience: nil))
  }

  /// - Parameters:
  ///   - calls: how many calls there are.
  ///   - clock: whose loop they run on.
  ///   - victim: which of them is cancelled; `nil` for none.
  ///   - delay: after how long that is.
  ///   - call: makes one, given its number.
  /// - Returns: what each has returned.
  static func play(
    _ calls: Int, on clock: VirtualClock, cancelling victim: Int? = nil,
    after delay: Duration = .zero, _ call: @escaping @Sendable (Int) async -> String
  ) async -> [String] {
    let cast = Cast(calls + (victim == nil ? 0 : 1))
    await withCheckedContinuation { audience in
      cast.state.withLock { $0.audience = audience }
      let tasks = (0..<calls).map { number in
        Task(executorPreference: clock.executor) { cast.exit(number, await call(number)) }
      }
      guard let victim else { return }
      Task(executorPreference: clock.executor) {
        if delay > .zero { try? await clock.sleep(for: delay) }
        tasks[victim].cancel()
        cast.exit(calls, "")
      }
    }
    return cast.state.withLock { Array($0.told.prefix(calls)) }
  }

  private func exit(_ number: Int, _ told: String) {
    let audience = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.told[number] = told
      state.running -= 1
      return state.running == 0 ? state.audience.take() : nil
    }
    audience?.resume()
  }
}

/// What a program must not do, and did.
struct Broken: Error, CustomStringConvertible {
  let rule: String
  let description: String

  init(_ rule: String, _ what: String) {
    self.rule = rule
    description = "\(rule): \(what)"
  }

  /// - Throws: itself, if the condition does not hold.
  static func unless(
    _ holds: Bool, _ rule: String, _ what: @autoclosure () -> String
  ) throws(Broken) {
    if !holds { throw Broken(rule, what()) }
  }
}

/// How a program can end, over all its schedules.
struct Endings<Ending: Hashable & Sendable>: Sendable {
  let schedules: Int
  let all: Set<Ending>

  /// Runs a program under every schedule.
  ///
  /// - Throws: a `ScheduleError` if it fails under one.
  init(of program: @escaping @Sendable (VirtualClock) async throws -> Ending) async throws {
    let seen = Record<Ending>()
    schedules = try await exploreSchedules(.exhaustively(limit: 200_000)) { clock in
      seen.insert(try await program(clock))
    }
    all = seen.all
  }
}

private final class Record<Element: Hashable & Sendable>: Sendable {
  private let elements = Mutex<Set<Element>>([])

  func insert(_ element: Element) { elements.withLock { _ = $0.insert(element) } }

  var all: Set<Element> { elements.withLock { $0 } }
}

/// A list that grows while a program runs.
final class Journal<Entry: Sendable>: Sendable {
  private let entries = Mutex<[Entry]>([])

  func note(_ entry: Entry) { entries.withLock { $0.append(entry) } }

  var all: [Entry] { entries.withLock { $0 } }
}
