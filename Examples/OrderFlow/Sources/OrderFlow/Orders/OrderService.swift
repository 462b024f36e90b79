import FlyingFox
package import Foundation
package import Resilience

/// `POST /orders`, of which it works on so many at a time, and `GET /circuit` to watch its policies,
/// which is not limited: operators must get through when customers do not.
package struct OrderService: Sendable {
  private let server: LoopbackServer

  /// - Parameters:
  ///   - users: who checks the users; its policies are those that are shown.
  ///   - admission: how many orders it works on at a time.
  package init(checking users: UserCheck, admission: Bulkhead = .admission()) {
    let desk = OrderDesk(users: users, admission: admission)
    server = LoopbackServer { request in await desk.answer(request) }
  }

  /// Starts the service; the system chooses the port.
  package func start() async throws -> URL { try await server.listen() }

  package func stop() async { await server.stop() }
}

private actor OrderDesk {
  private let users: UserCheck
  private let admission: Bulkhead
  private var orders = 0

  init(users: UserCheck, admission: Bulkhead) {
    self.users = users
    self.admission = admission
  }

  func answer(_ request: Request) async -> HTTPResponse {
    switch (request.path, request.method) {
    case ("/orders", .POST): await admit(request)
    case ("/orders", _): .methodNotAllowed(request, allowed: .POST)
    case ("/circuit", .GET): .json(.ok, CircuitReport(users.policies, admission: admission))
    case ("/circuit", _): .methodNotAllowed(request, allowed: .GET)
    default: .noSuchResource(request)
    }
  }

  /// Places an order if there is room for it; else nothing of it is looked at.
  ///
  /// A place stands for work and not for a connection: the request has been received before, and the
  /// place is given back before the answer is sent, so that a slow customer holds none.
  private func admit(_ request: Request) async -> HTTPResponse {
    do {
      return try await admission.run { await place(request) }
    } catch is BulkheadFullError {
      return .unavailable(.busy)
    } catch {
      return .stopping
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
      return .stopping
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
    return .unavailable(
      Problem(
        "user \(unchecked.id) cannot be checked and is not known here",
        reason: unchecked.cause.inWords, retryAfter: seconds))
  }
}

extension HTTPResponse {
  /// The service is stopping, and the call was cancelled.
  fileprivate static var stopping: HTTPResponse {
    .unavailable(Problem("the order service is stopping"))
  }

  /// 503, with the `Retry-After` that the problem has.
  fileprivate static func unavailable(_ problem: Problem) -> HTTPResponse {
    var headers: HTTPHeaders = [:]
    headers[HTTPHeader("Retry-After")] = problem.retryAfter.map(String.init)
    return .json(.serviceUnavailable, problem, headers: headers)
  }
}
