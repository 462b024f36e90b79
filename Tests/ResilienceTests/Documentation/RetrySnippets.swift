import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// The examples in the documentation comments of retries.
  @Suite("Documentation: retries")
  struct RetrySnippets {
    /// A user service that remembers which attempts came.
    final class Users: Sendable {
      let attempts = Shared<[Int]>([])

      func find(_ id: Int, attempt: Int) async throws -> User {
        attempts.value.append(attempt)
        return User(id: id)
      }
    }

    @Test("a retry tells the operation which attempt it is")
    func retry() async throws {
      let (users, id) = (Users(), 7)
      // snippet
      let retry = Retry(
        "user-service", maxAttempts: 3, backoff: .exponential(from: .milliseconds(50)))

      let user = try await retry.run { execution in
        try await users.find(id, attempt: execution.attempt)
      }
      // end snippet
      #expect(user == User(id: 7))
      #expect(users.attempts.value == [1])
      #expect(retry.snapshot().budget?.successes == 1)
    }
  }
}
