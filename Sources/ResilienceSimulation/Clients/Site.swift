/// A client with the policies it has made.
struct Site: Sendable {
  let client: Client
  let policy: Stack.Router

  init(_ client: Client, _ stack: Stack) {
    self.client = client
    policy = stack.make(client)
  }
}
