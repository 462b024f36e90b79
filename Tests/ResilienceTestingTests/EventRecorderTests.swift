import Resilience
import ResilienceTesting
import Testing

@Suite("EventRecorder")
struct EventRecorderTests {
  struct Opened: ResilienceEvent, Equatable {
    var policy: String
    var description: String { "\(policy) opened" }
  }

  struct Closed: ResilienceEvent, Equatable {
    var policy: String
    var description: String { "\(policy) closed" }
  }

  let recorder = EventRecorder()

  @Test("it keeps what it observes, in order")
  func keeps() {
    #expect(recorder.events.isEmpty)
    recorder.observe(Opened(policy: "a"))
    recorder.observe(Closed(policy: "a"))
    recorder.observe(Opened(policy: "b"))
    #expect(recorder.descriptions == ["a opened", "a closed", "b opened"])
    #expect(recorder.events.map(\.policy) == ["a", "a", "b"])
    #expect(recorder.events(of: Opened.self) == [Opened(policy: "a"), Opened(policy: "b")])
    recorder.clear()
    #expect(recorder.descriptions == [])
  }

  @Test("events(atLeast:) returns when so many have arrived")
  func waits() async {
    await recorder.events(atLeast: 0)
    let waiting = Task { [recorder] in
      await recorder.events(atLeast: 2)
      return recorder.descriptions
    }
    recorder.observe(Opened(policy: "a"))
    recorder.observe(Closed(policy: "a"))
    #expect(await waiting.value == ["a opened", "a closed"])
  }

  @Test("events(atLeast:) returns early when it is cancelled, before and during")
  func cancelled() async {
    let waiting = Task { [recorder] in await recorder.events(atLeast: 1) }
    await Task.yield()
    waiting.cancel()
    await waiting.value
    await Task { [recorder] in
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      await recorder.events(atLeast: 1)
    }.value
    #expect(recorder.events.isEmpty)
  }

  @Test("many threads lose nothing")
  func concurrent() async {
    await withTaskGroup { group in
      for _ in 0..<100 {
        group.addTask { [recorder] in
          for _ in 0..<10 { recorder.observe(Opened(policy: "a")) }
        }
      }
      group.addTask { [recorder] in await recorder.events(atLeast: 1_000) }
    }
    #expect(recorder.events.count == 1_000)
  }
}
