import Resilience
import ResilienceTesting
import Synchronization
import Testing

/// A bulkhead in virtual time, and a log of what becomes of the calls.
struct Hull: Sendable {
  let clock: VirtualClock
  let bulkhead: Bulkhead
  let recorder = EventRecorder()

  private let entries = Shared<[String]>([])

  init(
    limit: Int = 1, queue: Int = 10, maxWait: Duration = .seconds(60),
    order: Bulkhead.Order = .fifo, on clock: VirtualClock,
    waitingOn other: (any Clock<Duration>)? = nil
  ) {
    self.clock = clock
    bulkhead = Bulkhead(
      "users", limit: limit, queue: queue, maxWait: maxWait, order: order,
      clock: other ?? clock,
      observers: [recorder])
  }

  /// What became of the calls, and when.
  var log: [String] { entries.value }

  var totals: Bulkhead.Totals { bulkhead.snapshot().totals }
  var inFlight: Int { bulkhead.snapshot().inFlight }
  var waiting: Int { bulkhead.snapshot().waiting }

  /// What the observer has heard.
  var events: [String] {
    recorder.events(of: Bulkhead.Event.self).map(\.kind.description)
  }

  func note(_ what: String) {
    entries.value.append("\(clock.now.offset): \(what)")
  }

  /// Whether a call that does not wait gets a place; it gives it back.
  func hasRoom() -> Bool {
    guard let permit = bulkhead.tryAcquire() else { return false }
    permit.release()
    return true
  }

  /// Makes a call that takes so long, and writes down how it went.
  func call(_ name: String, taking duration: Duration = .seconds(1)) async {
    do {
      try await bulkhead.run {
        note("\(name) runs")
        try await clock.sleep(for: duration)
      }
    } catch let error as BulkheadFullError {
      note("\(name) refused: \(error.reason)")
    } catch {
      note("\(name) threw \(type(of: error))")
    }
  }

  /// Starts a call in a task of its own, with a priority that is not raised until somebody waits for it.
  func start(_ name: String, _ priority: TaskPriority) -> Task<Void, Never> {
    Task(executorPreference: clock.executor, priority: priority) { await call(name) }
  }

  /// Starts calls a millisecond after each other, and waits until all have ended.
  func callInTurn(_ names: String..., taking duration: Duration = .seconds(1)) async {
    await withTaskGroup(of: Void.self) { group in
      for name in names {
        group.addTask { await call(name, taking: duration) }
        await clock.advance(by: .milliseconds(1))
      }
    }
  }

  /// Takes so many places, for somebody who gives them back at a time of his own.
  func occupy(_ count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) -> Occupants {
    Occupants(bulkhead, count, sourceLocation)
  }
}

/// Those who hold places. Permits cannot be copied and arrays copy, so each has a box.
final class Occupants: Sendable {
  private let boxes: [Box]

  init(_ bulkhead: Bulkhead, _ count: Int, _ sourceLocation: SourceLocation) {
    boxes = (0..<count).map { _ in Box(bulkhead.tryAcquire()) }
    if !boxes.allSatisfy(\.isFull) {
      Issue.record("there was no room", sourceLocation: sourceLocation)
    }
  }

  /// Gives back one place.
  func leave() {
    for box in boxes where box.release() { return }
    Issue.record("nobody is left")
  }
}

private final class Box: Sendable {
  private let permit: Mutex<Bulkhead.Permit?>

  init(_ permit: consuming Bulkhead.Permit?) {
    self.permit = Mutex(permit)
  }

  var isFull: Bool { permit.withLock { $0 != nil } }

  func release() -> Bool {
    guard let permit = permit.withLock({ $0.take() }) else { return false }
    permit.release()
    return true
  }
}

/// Counts who is inside, and remembers how many were at most.
final class Headcount: Sendable {
  private let inside = Atomic(0)
  private let highest = Atomic(0)

  var most: Int { highest.load(ordering: .relaxed) }

  func enter() {
    highest.max(inside.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
  }

  func leave() {
    inside.wrappingSubtract(1, ordering: .relaxed)
  }
}
