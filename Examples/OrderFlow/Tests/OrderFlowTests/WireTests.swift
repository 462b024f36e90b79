import FlyingSocks
import Foundation
import OrderFlow
import Testing

@Suite("On the wire")
struct WireTests {
  // What a client that speaks no proper HTTP gets back until the service closes the connection.
  private func exchange(_ text: String, with url: URL, thenHangUp: Bool = false) async throws
    -> String
  {
    let port = UInt16(try #require(url.port))
    let socket = try await AsyncSocket.connected(to: .inet(ip4: "127.0.0.1", port: port))
    defer { try? socket.close() }
    try await socket.write(Data(text.utf8))
    if thenHangUp { return "" }
    var answer: [UInt8] = []
    while let chunk = try? await socket.read(atMost: 4096) { answer += chunk }
    return String(decoding: answer, as: UTF8.self)
  }

  private static func post(_ headers: String, _ body: String = "") -> String {
    "POST /orders HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n\r\n\(body)"
  }

  private static let tooLong = """
    HTTP/1.1 400 Bad Request\r
    Connection: close\r
    Content-Length: 47\r
    Content-Type: application/json\r
    \r
    {"error":"the body is longer than 65536 bytes"}
    """

  private static let broken = """
    HTTP/1.1 400 Bad Request\r
    Connection: close\r
    Content-Length: 61\r
    Content-Type: application/json\r
    \r
    {"error":"the body ended early, or its chunks are malformed"}
    """

  @Test(
    "a body whose announced length is absurd is refused unread, and the connection ends",
    arguments: ["65537", "10000000000", "9223372036854775807"])
  func announcedLength(length: String) async throws {
    try await TestShop.open { test in
      let request = Self.post("Content-Length: \(length)", "{\"userId\": 1")
      let answer = try await exchange(request, with: test.shop.orderServiceURL)
      #expect(answer == Self.tooLong)
      #expect(try await test.customer.order(by: 1).status == 201)
    }
  }

  @Test("a chunked body is refused where it becomes too long")
  func chunked() async throws {
    try await TestShop.open { test in
      let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
      let request = Self.post(
        "Transfer-Encoding: chunked", String(repeating: chunk, count: 20) + "0\r\n\r\n")
      let answer = try await exchange(request, with: test.shop.orderServiceURL)
      #expect(answer == Self.tooLong)
    }
  }

  @Test(
    "chunks that are malformed are refused",
    arguments: ["zz\r\n", "ffffffffffffffff\r\n", "-1\r\n", "3\r\nabcdef\r\n"])
  func brokenChunks(chunks: String) async throws {
    try await TestShop.open { test in
      let request = Self.post("Transfer-Encoding: chunked", chunks)
      let answer = try await exchange(request, with: test.shop.orderServiceURL)
      #expect(answer == Self.broken)
    }
  }

  @Test(
    "what is no HTTP ends the connection without an answer",
    arguments: [
      "\r\n\r\n", "tea\r\n\r\n", post("Content-Length: -1"), post("Content-Length: many"),
      post("Content-Length: 99999999999999999999"),
      post("Content-Length: 2\r\nTransfer-Encoding: chunked", "{}"),
      post("Transfer-Encoding: gzip"), "\u{0}\u{1}\u{2}\r\n\r\n",
    ])
  func noHTTP(request: String) async throws {
    try await TestShop.open { test in
      let answer = try await exchange(request, with: test.shop.orderServiceURL)
      #expect(answer == "")
      #expect(try await test.customer.order(by: 1).status == 201)
    }
  }

  @Test("an unknown method is answered 404")
  func unknownMethod() async throws {
    try await TestShop.open { test in
      let request = "BREW /orders HTTP/1.1\r\nConnection: close\r\n\r\n"
      let answer = try await exchange(request, with: test.shop.orderServiceURL)
      #expect(answer == "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    }
  }

  @Test("clients that hang up half-way leave the service as it was")
  func hangUp() async throws {
    try await TestShop.open { test in
      for request in [
        "", "POST /ord", Self.post("Content-Length: 100", "{\"userId\""),
        Self.post("Content-Length: 60000", "{\"userId\""),
        Self.post("Content-Length: 10000000", String(repeating: "x", count: 100_000)),
      ] {
        _ = try await exchange(request, with: test.shop.orderServiceURL, thenHangUp: true)
      }
      #expect(try await test.customer.order(by: 1).status == 201)
    }
  }
}
