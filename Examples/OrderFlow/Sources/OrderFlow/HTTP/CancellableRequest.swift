import Dispatch
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

extension URLSession {
  /// What `data(for:)` does, for calls that a timeout may cancel.
  ///
  /// On Linux `data(for:)` of Swift 6.3 can hang for ever, and its whole session with it, if the
  /// answer comes while the task is being cancelled: the cancellation holds a lock of the task and
  /// waits for a queue of the session's, on which the answer waits for that lock. Here the
  /// cancellation waits for nothing.
  ///
  /// [Foundation's issue](https://github.com/swiftlang/swift-corelibs-foundation/issues/5412)
  func answer(to request: URLRequest) async throws -> (Data, URLResponse) {
    let call = CancellableCall()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let task = dataTask(with: request) { data, response, error in
          guard let data, let response else {
            return continuation.resume(throwing: error ?? URLError(.unknown))
          }
          continuation.resume(returning: (data, response))
        }
        call.start(task)
      }
    } onCancel: {
      call.cancel()
    }
  }
}

/// A request that may be cancelled before it is made, and while it is.
private final class CancellableCall: Sendable {
  private enum Phase: Sendable {
    case created
    case started(URLSessionDataTask)
    case cancelled
  }

  private let phase = Mutex(Phase.created)

  func start(_ task: URLSessionDataTask) {
    let isCancelled = phase.withLock { phase in
      if case .cancelled = phase { return true }
      phase = .started(task)
      return false
    }
    task.resume()
    if isCancelled { task.cancel() }
  }

  func cancel() {
    let previous = phase.withLock { phase in
      defer { phase = .cancelled }
      return phase
    }
    guard case .started(let task) = previous else { return }
    DispatchQueue.global().async { task.cancel() }
  }
}
