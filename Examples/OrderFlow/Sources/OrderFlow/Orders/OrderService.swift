import FlyingFox
package import Foundation
import Resilience

/// `POST /orders`, and `GET /circuit` to watch the circuit breaker.
package struct OrderService: Sendable {
  private let server: LoopbackServer

  /// - Parameter checking: who checks the users; its circuit breaker is the one that is shown.
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
    case ("/orders", .POST): await place(request.body)
    case ("/orders", _): .methodNotAllowed(request, allowed: .POST)
    case ("/circuit", .GET): .json(.ok, CircuitReport(users.breaker.snapshot()))
    case ("/circuit", _): .methodNotAllowed(request, allowed: .GET)
    default: .noSuchResource(request)
    }
  }

  private func place(_ body: Data) async -> HTTPResponse {
    do {
      let order = try Order(json: body)
      let buyer = try await users.check(order.userId)
      return .json(.created, receipt(for: order, by: buyer))
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

  private func receipt(for order: Order, by buyer: CheckedUser) -> Receipt {
    orders += 1
    return Receipt(
      order: orders, user: buyer.user, items: order.items, degraded: buyer.cause != nil,
      reason: buyer.cause.map(because))
  }

  private func unavailable(_ unchecked: UncheckedUser) -> HTTPResponse {
    let seconds = (unchecked.retryAfter ?? .zero).retryAfter
    let problem = Problem(
      "user \(unchecked.id) cannot be checked and is not known here",
      reason: because(unchecked.cause), retryAfter: seconds)
    return .json(
      .serviceUnavailable, problem, headers: [HTTPHeader("Retry-After"): String(seconds)])
  }

  private func because(_ cause: any Error) -> String {
    guard let rejection = cause as? CircuitOpenError else { return "\(cause)" }
    let next = rejection.retryAfter.map { ", next try in \($0.inSeconds)" } ?? ""
    return "circuit \(rejection.reason)\(next)"
  }
}
