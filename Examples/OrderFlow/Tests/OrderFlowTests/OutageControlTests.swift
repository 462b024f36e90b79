import Foundation
import OrderFlow
import Testing

@Suite("The control of the outage")
struct OutageControlTests {
  private func withControl(
    _ test: (Browser, UserService, Lines) async throws -> Void
  ) async throws {
    let users = UserService()
    _ = try await users.start()
    let lines = Lines()
    let control = OutageControl(of: users, timeline: lines.timeline(.json))
    let browser = Browser(try await control.start())
    do { try await test(browser, users, lines) } catch {
      await control.stop()
      await users.stop()
      throw error
    }
    await control.stop()
    await users.stop()
  }

  @Test("breaks the user service and mends it")
  func modes() async throws {
    try await withControl { browser, users, _ in
      for health in ["flaky", "errors", "sluggish", "slow", "refusing", "healthy"] {
        let answer = try await browser.post("/outage", #"{"mode": "\#(health)"}"#)
        #expect(answer == Answer(200, #"{"mode":"\#(health)"}"#))
        #expect(await users.health.rawValue == health)
        let status = try await browser.send("GET", "/outage")
        #expect(status == answer)
      }
    }
  }

  @Test("plays the whole outage, one part after the other")
  func script() async throws {
    try await withControl { browser, users, lines in
      let answer = try await browser.post("/outage", #"{"mode": "script", "seconds": 0.1}"#)
      let parts = "flaky, errors, slow, refusing: 0.1 s each, then healthy"
      #expect(answer == Answer(202, #"{"mode":"script","script":"\#(parts)"}"#))
      while lines.all.count < 5 { try await Task.sleep(for: .milliseconds(1)) }
      let healths = lines.all.compactMap { $0.firstMatch(of: /"health":"(\w+)"/)?.output.1 }
      #expect(healths == ["flaky", "errors", "slow", "refusing", "healthy"])
      while await users.health != .healthy { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  @Test("a wish ends a script that is playing")
  func override() async throws {
    try await withControl { browser, users, _ in
      _ = try await browser.post("/outage", #"{"mode": "script", "seconds": 60}"#)
      while await users.health != .flaky { try await Task.sleep(for: .milliseconds(1)) }
      let answer = try await browser.post("/outage", #"{"mode": "healthy"}"#)
      #expect(answer == Answer(200, #"{"mode":"healthy"}"#))
    }
  }

  @Test(
    "says what it understands",
    arguments: [
      "", "{}", #"{"mode": "chaos"}"#, #"{"mode": 1}"#, #"{"mode": "script", "seconds": 0}"#,
      #"{"mode": "script", "seconds": 1e300}"#,
    ])
  func help(wish: String) async throws {
    try await withControl { browser, users, _ in
      let answer = try await browser.post("/outage", wish)
      let help =
        #"{"error":"the body must be {\"mode\": M} with M one of healthy, flaky, errors, sluggish, "#
        + #"slow, refusing, script; with script, \"seconds\" from 0.1 to 60 say how long each part lasts"}"#
      #expect(answer == Answer(400, help))
      #expect(await users.health == .healthy)
    }
  }
}
