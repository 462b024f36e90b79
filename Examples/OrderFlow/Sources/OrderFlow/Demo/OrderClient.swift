package import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A customer of the order service.
package final class OrderClient: Sendable {
  private let orders: URL
  private let session = URLSession.loopback()

  package init(base: URL) {
    orders = base.appending(path: "orders")
  }

  package struct Reply: Sendable {
    package let status: Int
    package let retryAfter: Int?
    package let body: Data
  }

  package func place(_ order: Order) async throws -> Reply {
    try await post(try JSONEncoder.sorted.encode(order))
  }

  /// Posts whatever it is given, an order or not.
  package func post(_ body: Data) async throws -> Reply {
    var request = URLRequest(url: orders, timeoutInterval: 10)
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.httpBody = body
    let (data, response) = try await session.data(for: request)
    let head = response as? HTTPURLResponse
    return Reply(
      status: head?.statusCode ?? 0,
      retryAfter: head?.value(forHTTPHeaderField: "Retry-After").flatMap(Int.init), body: data)
  }

  package func close() { session.invalidateAndCancel() }
}

extension OrderClient.Reply {
  package var answer: OrderEntry.Answer {
    guard status == 201 else { return problem == .busy ? .busy : .refused }
    return receipt?.degraded == true ? .degraded : .created
  }

  package var why: String {
    if let receipt { return receipt.reason ?? "user-service knows \(receipt.user.name)" }
    guard let problem else { return "an answer that is no JSON" }
    return [problem.error, problem.reason].compactMap(\.self).joined(separator: "; ")
  }

  private var receipt: Receipt? {
    try? JSONDecoder().decode(Receipt.self, from: body)
  }

  private var problem: Problem? {
    try? JSONDecoder().decode(Problem.self, from: body)
  }
}
