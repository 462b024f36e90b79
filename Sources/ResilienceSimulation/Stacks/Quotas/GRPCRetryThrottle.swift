import Resilience

/// gRPC's throttling of retries: a count of tokens, which failures lower and successes raise, and
/// retries only while it is above its half.
///
/// Each failed attempt takes a token, each successful one adds `tokenRatio`, between zero and
/// `maxTokens`. A retry itself costs nothing.
///
/// Source: gRFC A6, "gRPC Retry Design", section "Throttling Retry Attempts and Hedged RPCs", with
/// the settings of its example. (gRPC throttles nothing unless it is configured to.)
struct GRPCRetryThrottle: RetryQuota, Hashable {
  /// In thousandths, to which the document rounds the ratio.
  private(set) var tokens: Int
  private let maxTokens: Int
  private let ratio: Int

  /// - Parameters:
  ///   - maxTokens: what it starts with.
  ///   - ratio: what a success adds, in thousandths of a token.
  init(maxTokens: Int = 10, ratio: Int = 100) {
    self.maxTokens = maxTokens * 1_000
    self.ratio = ratio
    tokens = self.maxTokens
  }

  mutating func end(_ attempt: QuotaAttempt, _ outcome: Outcome, at now: Int64) {
    switch outcome {
    case .success: tokens = min(maxTokens, tokens + ratio)
    case .failure: tokens = max(0, tokens - 1_000)
    case .ignored: break
    }
  }

  mutating func withdraw(after failure: AttemptFailure, at now: Int64) -> Int? {
    2 * tokens > maxTokens ? 0 : nil
  }

  var description: String { "gRPC, \(maxTokens / 1_000) tokens, ratio \(Double(ratio) / 1_000)" }
}
