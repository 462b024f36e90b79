import Foundation
import OrderFlow
import Resilience
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite("The user service")
struct UserServiceTests {
  private func withService(
    _ test: (UserService, Browser, UserClient) async throws -> Void
  ) async throws {
    let service = UserService()
    let url = try await service.start()
    let browser = Browser(url)
    let client = UserClient(base: url)
    do { try await test(service, browser, client) } catch {
      await service.stop()
      throw error
    }
    browser.close()
    client.close()
    await service.stop()
  }

  @Test(
    "answers in JSON, whatever it is asked",
    arguments: [
      ("GET", "/users/1", Answer(200, #"{"id":1,"name":"Ada"}"#)),
      ("GET", "/users/8", Answer(200, #"{"id":8,"name":"Hedy"}"#)),
      ("GET", "/users/9", Answer(404, #"{"error":"there is no user 9"}"#)),
      ("GET", "/users/0", Answer(400, #"{"error":"a user's id is a whole number of at least 1"}"#)),
      ("GET", "/users/x", Answer(400, #"{"error":"a user's id is a whole number of at least 1"}"#)),
      (
        "GET", "/users/99999999999999999999",
        Answer(400, #"{"error":"a user's id is a whole number of at least 1"}"#)
      ),
      ("GET", "/users", Answer(404, #"{"error":"there is nothing at /users"}"#)),
      ("GET", "/users/1/2", Answer(404, #"{"error":"there is nothing at /users/1/2"}"#)),
      (
        "POST", "/users/1",
        Answer(405, #"{"error":"/users/1 answers GET only"}"#, ["Allow": "GET"])
      ),
      ("HEAD", "/users/1", Answer(405, "", ["Allow": "GET"])),
    ])
  func answers(method: String, path: String, expected: Answer) async throws {
    try await withService { _, browser, _ in
      let answer = try await browser.send(method, path)
      #expect(answer == expected)
    }
  }

  @Test("answers 500 while it is broken, and as before when it is mended")
  func errors() async throws {
    try await withService { service, browser, client in
      try await service.become(.errors)
      let broken = Answer(500, #"{"error":"the user service is broken"}"#)
      #expect(try await browser.send("GET", "/users/1") == broken)
      await #expect(throws: UserServiceError.status(500)) { try await client.find(1) }
      try await service.become(.healthy)
      #expect(try await client.find(1) == User(id: 1, name: "Ada"))
    }
  }

  @Test("refuses connections while it is down, and comes back on the same port")
  func refuses() async throws {
    try await withService { service, browser, client in
      #expect(try await browser.send("GET", "/users/1").status == 200)
      for _ in 0..<3 {
        try await service.become(.refusing)
        try await service.become(.refusing)
        await #expect(throws: UserServiceError.connectionRefused) { try await client.find(1) }
        try await service.become(.healthy)
        #expect(try await browser.send("GET", "/users/1").status == 200)
        #expect(try await client.find(1) == User(id: 1, name: "Ada"))
      }
      #expect(client.calls == 6)
      #expect(await service.requests == 7)
    }
  }

  @Test("is mended for good however often it was broken and mended at once before")
  func becomesInTurn() async throws {
    try await withService { service, browser, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for round in 0..<20 {
          group.addTask { try await service.become(round.isMultiple(of: 2) ? .refusing : .healthy) }
        }
        try await group.waitForAll()
      }
      try await service.become(.healthy)
      #expect(try await browser.send("GET", "/users/1").status == 200)
    }
  }

  @Test("answers 500 to every third request while it is flaky, counted from then on")
  func flaky() async throws {
    try await withService { service, browser, _ in
      _ = try await browser.send("GET", "/users/1")
      for _ in 0..<2 {
        try await service.become(.flaky)
        var statuses: [Int] = []
        for _ in 0..<7 { statuses.append(try await browser.send("GET", "/users/1").status) }
        #expect(statuses == [200, 200, 500, 200, 200, 500, 200])
      }
    }
  }

  @Test("a call that waits for a slow answer ends when it is cancelled by a timeout")
  func slow() async throws {
    let service = UserService(slowness: .seconds(3_600))
    let client = UserClient(base: try await service.start())
    try await service.become(.slow)
    let limit = Duration.milliseconds(150)
    let start = ContinuousClock.now
    let error = await #expect(throws: TimeoutError.self) {
      try await Timeout(limit).run { try await client.find(1) }
    }
    #expect(error?.limit == limit)
    #expect(error?.underlying is CancellationError)
    #expect(error?.inWords == "user-service did not answer within 0.15 s")
    #expect(start.duration(to: .now) >= limit)
    await service.stop()
  }

  @Test("takes its time while it is sluggish, and no longer than that")
  func sluggish() async throws {
    let sluggishness = Duration.milliseconds(100)
    let service = UserService(sluggishness: sluggishness)
    let client = UserClient(base: try await service.start())
    try await service.become(.sluggish)
    let start = ContinuousClock.now
    #expect(try await client.find(1) == User(id: 1, name: "Ada"))
    #expect(start.duration(to: .now) >= sluggishness)
    client.close()
    await service.stop()
  }

  @Test("answers those who wait at once when it is sluggish no longer", .timeLimit(.minutes(2)))
  func sluggishNoLonger() async throws {
    let service = UserService(sluggishness: .seconds(3_600))
    let client = UserClient(base: try await service.start())
    try await service.become(.sluggish)
    let calls = (1...8).map { id in Task { try await client.find(id) } }
    while await service.requests < 8 { try await Task.sleep(for: .milliseconds(1)) }
    try await service.become(.healthy)
    var users: [User] = []
    for call in calls { users.append(try await call.value) }
    #expect(users == User.directory)
    client.close()
    await service.stop()
  }

  @Test("an answer that comes while the call is being cancelled leaves nobody waiting")
  func answerMeetsCancellation() async throws {
    let service = UserService(slowness: .milliseconds(4))
    let client = UserClient(base: try await service.start())
    try await service.become(.slow)
    // Around the time that an answer takes, in steps that are short enough to meet it.
    for step in 0..<400 {
      let limit = Duration.milliseconds(3) + .microseconds(step % 100 * 50)
      _ = try? await Timeout(limit).run { try await client.find(1) }
    }
    try await service.become(.healthy)
    #expect(try await client.find(1) == User(id: 1, name: "Ada"))
    client.close()
    await service.stop()
  }

  @Test("a cancelled call reads as cancelled, not as a failing service")
  func cancelled() async throws {
    try await withService { service, _, client in
      try await service.become(.slow)
      let call = Task { try await client.find(1) }
      while await service.requests == 0 { try await Task.sleep(for: .milliseconds(1)) }
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
    }
  }

  @Test("calls on a connection that is kept alive do not wait for a delayed acknowledgement")
  func delayedAcknowledgement() async throws {
    try await withService { _, browser, _ in
      // Without the cure no call but the first few takes less than 40 ms; with it a single one that
      // does is proof enough, on a machine that is busy with something else.
      let isQuick = { (call: Int) async throws in
        let start = ContinuousClock.now
        _ = try await browser.send("GET", "/users/1")
        return call > 6 && start.duration(to: .now) < .milliseconds(38)
      }
      var calls = 0
      var quick = false
      while !quick, calls < 100 {
        calls += 1
        quick = try await isQuick(calls)
      }
      #expect(quick)
    }
  }
}
