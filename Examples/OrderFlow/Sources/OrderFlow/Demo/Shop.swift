package import Foundation
package import Resilience

/// Both services, running, and what connects them.
package struct Shop: Sendable {
  package let userService: UserService
  package let userServiceURL: URL
  package let userClient: UserClient
  package let policies: UserPolicies
  package let admission: Bulkhead
  package let orderService: OrderService
  package let orderServiceURL: URL

  /// Starts both services.
  ///
  /// - Parameters:
  ///   - policies: what the order service calls the user service through.
  ///   - known: the users that the order service has seen before.
  ///   - admission: how many orders the order service works on at a time.
  ///   - sluggishness: how late the user service answers at most while it is sluggish.
  package static func open(
    policies: UserPolicies, known: LastKnownGood<Int, User> = LastKnownGood("users"),
    admission: Bulkhead = .admission(), sluggishness: Duration = .milliseconds(800)
  ) async throws -> Shop {
    let userService = UserService(sluggishness: sluggishness)
    let userServiceURL = try await userService.start()
    let userClient = UserClient(base: userServiceURL)
    let orderService = OrderService(
      checking: UserCheck(userClient, through: policies, known: known), admission: admission)
    return Shop(
      userService: userService, userServiceURL: userServiceURL, userClient: userClient,
      policies: policies, admission: admission, orderService: orderService,
      orderServiceURL: try await orderService.start())
  }

  /// Stops both services; calls under way end.
  package func close() async {
    await orderService.stop()
    userClient.close()
    await userService.stop()
  }
}
