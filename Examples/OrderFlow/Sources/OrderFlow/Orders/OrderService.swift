import FlyingFox
package import Foundation
import Resilience

/// `POST /orders`, and `GET /circuit` to watch the circuit breaker.
package struct OrderService: Sendable {
  private let server: LoopbackServer

  /// - Parameter checking: who checks the users; its policies are those that are shown.
  package init(checking users: UserCheck) {
    let desk = OrderDesk(users: users)
    server = LoopbackServer { request in await desk.answer(request) }
  }

  /// Starts the service; the system chooses the port.
  package func start() async throws -> URL { try await server.listen() }

  package func stop() async { await server.stop() }
}

private actor OrderDesk {
  private let users: UserCheck
  private var orders = 0

  init(users: UserCheck) {
    self.users = users
  }

  func answer(_ request: Request) async -> HTTPResponse {
    switch (request.path, request.method) {
    case ("/orders", .POST): await place(request)
    case ("/orders", _): .methodNotAllowed(request, allowed: .POST)
    case ("/circuit", .GET): .json(.ok, CircuitReport(users.policies))
    case ("/circuit", _): .methodNotAllowed(request, allowed: .GET)
    default: .noSuchResource(request)
    }
  }

  private func place(_ request: Request) async -> HTTPResponse {
    do {
      let deadline = try request.deadline()
      let order = try Order(json: request.body)
      let buyer = try await check(order.userId, by: deadline)
      return .json(.created, receipt(for: order, by: buyer))
    } catch let unreadable as UnreadableDeadline {
      return .json(.badRequest, Problem(unreadable.description))
    } catch let invalid as InvalidOrder {
      return .json(.badRequest, Problem("this is no order", problems: invalid.problems))
    } catch let unknown as UnknownUser {
      return .json(.unprocessableContent, Problem("there is no user \(unknown.id)"))
    } catch let unchecked as UncheckedUser {
      return unavailable(unchecked)
    } catch {
      // The service is stopping: the call was cancelled.
      return .json(.serviceUnavailable, Problem("the order service is stopping"))
    }
  }

  /// Checks a user for as long as the caller waits: the policies keep to the deadline.
  private func check(_ id: Int, by deadline: Deadline?) async throws -> CheckedUser {
    guard let deadline else { return try await users.check(id) }
    return try await deadline.run { try await users.check(id) }
  }

  private func receipt(for order: Order, by buyer: CheckedUser) -> Receipt {
    orders += 1
    return Receipt(
      order: orders, user: buyer.user, items: order.items, degraded: buyer.cause != nil,
      reason: buyer.cause?.inWords)
  }

  private func unavailable(_ unchecked: UncheckedUser) -> HTTPResponse {
    let seconds = (unchecked.retryAfter ?? .zero).retryAfter
    let problem = Problem(
      "user \(unchecked.id) cannot be checked and is not known here",
      reason: unchecked.cause.inWords, retryAfter: seconds)
    return .json(
      .serviceUnavailable, problem, headers: [HTTPHeader("Retry-After"): String(seconds)])
  }
}
