package import Foundation
package import Resilience

/// Both services, running, and what connects them.
package struct Shop: Sendable {
  package let userService: UserService
  package let userServiceURL: URL
  package let userClient: UserClient
  package let breaker: CircuitBreaker
  package let orderService: OrderService
  package let orderServiceURL: URL

  /// Starts both services.
  ///
  /// - Parameters:
  ///   - userTimeout: how long the order service waits for the user service.
  ///   - known: the users that the order service has seen before.
  package static func open(
    breaker: CircuitBreaker, userTimeout: Duration = .seconds(1),
    known: LastKnownUsers = LastKnownUsers()
  ) async throws -> Shop {
    let userService = UserService()
    let userServiceURL = try await userService.start()
    let userClient = UserClient(base: userServiceURL, timeout: userTimeout)
    let orderService = OrderService(checking: UserCheck(userClient, through: breaker, known: known))
    return Shop(
      userService: userService, userServiceURL: userServiceURL, userClient: userClient,
      breaker: breaker, orderService: orderService,
      orderServiceURL: try await orderService.start())
  }

  /// Stops both services; calls under way end.
  package func close() async {
    await orderService.stop()
    userClient.close()
    await userService.stop()
  }
}
