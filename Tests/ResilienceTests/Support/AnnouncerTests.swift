import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Events of policies without a lock of their own", .timeLimit(.minutes(20)))
struct AnnouncerTests {
  struct Event: ResilienceEvent {
    let number: Int
    var policy: String { "policy" }
    var description: String { "\(number)" }
  }

  /// A policy as far as its events go.
  final class Policy: Sendable {
    let events: Announcer<Event>
    init(_ observers: [any ResilienceObserver]) { events = Announcer(to: observers) }
    func announce(_ numbers: Range<Int>) {
      for number in numbers { events.announce(Event(number: number)) }
    }
  }

  /// Announces more from within, the first time.
  final class Echo: ResilienceObserver {
    let policy = Shared<Policy?>(nil)
    let heard = Shared<[Int]>([])
    let more: Range<Int>

    init(_ more: Range<Int>) { self.more = more }

    func observe(_ event: any ResilienceEvent) {
      guard let event = event as? Event else { return }
      if event.number == 0 { policy.value?.announce(more) }
      heard.value.append(event.number)
    }
  }

  @Test("X-3: without observers an event is not even made")
  func nobody() {
    let announcer = Announcer<Event>(to: [])
    func make() -> Event {
      Issue.record("it was made")
      return Event(number: 0)
    }
    announcer.announce(make())
    announcer.prepare(make())
    announcer.deliver()
  }

  @Test("X-3: each observer gets each event once, in order")
  func everybody() {
    let (one, other) = (EventRecorder(), EventRecorder())
    Policy([one, other]).announce(0..<200)
    #expect(one.descriptions == (0..<200).map { "\($0)" })
    #expect(other.descriptions == one.descriptions)
  }

  @Test("X-3: what an observer causes is delivered after it has returned, at most 64 in a turn")
  func turns() {
    let echo = Echo(1..<101)
    let policy = Policy([echo])
    echo.policy.value = policy
    policy.announce(0..<1)
    #expect(echo.heard.value == Array(0..<64))
    policy.announce(101..<102)
    #expect(echo.heard.value == Array(0..<102))
    echo.policy.value = nil
  }

  @Test("X-3: what turns have left is delivered when the policy ends")
  func theRest() {
    let echo = Echo(1..<301)
    var policy: Policy? = Policy([echo])
    echo.policy.value = policy
    policy?.announce(0..<1)
    echo.policy.value = nil
    #expect(echo.heard.value == Array(0..<64))
    policy = nil
    #expect(echo.heard.value == Array(0..<301))
  }

  @Test("what is prepared keeps its place, and waits for who delivers")
  func prepared() {
    let recorder = EventRecorder()
    let policy = Policy([recorder])
    policy.events.prepare(Event(number: 0))
    policy.events.prepare(Event(number: 1))
    #expect(recorder.events.isEmpty)
    policy.announce(2..<3)
    #expect(recorder.descriptions == ["0", "1", "2"])
    policy.events.prepare(Event(number: 3))
    policy.events.deliver()
    policy.events.deliver()
    #expect(recorder.descriptions == ["0", "1", "2", "3"])
  }

  @Test("X-3: many threads announce: nothing is lost, doubled or delivered two at a time")
  func threads() async {
    final class Watcher: ResilienceObserver {
      let isBusy = Shared(false)
      let heard = Shared<[Int]>([])
      func observe(_ event: any ResilienceEvent) {
        if isBusy.value { Issue.record("two at a time") }
        isBusy.value = true
        heard.value.append((event as? Event)?.number ?? -1)
        isBusy.value = false
      }
    }
    let watcher = Watcher()
    var policy: Policy? = Policy([watcher])
    await withTaskGroup(of: Void.self) { [policy] group in
      for part in 0..<4 {
        group.addTask { policy?.announce(1000 * part..<1000 * (part + 1)) }
      }
    }
    policy = nil
    let heard = watcher.heard.value
    #expect(heard.sorted() == Array(0..<4000))
    // Each announcer's own keep their order.
    for part in 0..<4 {
      #expect(heard.filter { $0 / 1000 == part } == Array(1000 * part..<1000 * (part + 1)))
    }
  }
}
