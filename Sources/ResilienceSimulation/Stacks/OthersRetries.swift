import Resilience

// Retries that others bound by a quota of theirs, by rule. None of them has a circuit breaker; each
// client has a quota of its own; backoff and number of attempts are the scenario's, as for
// ``Stack/naiveRetry`` and ``Stack/retryAndBudget``.

extension Stack {
  /// gRPC's retry throttling: 10 tokens, a failure takes one, a success adds a tenth, and retries
  /// only above 5.
  ///
  /// Source: gRFC A6, "gRPC Retry Design", with the settings of its example.
  public static var gRPCThrottle: Stack { retrying("gRPC throttle", within: GRPCRetryThrottle()) }

  /// The retry quota of the AWS SDKs as it was before 2026: 500 tokens, a retry costs 5, after a
  /// timeout 10.
  ///
  /// Source: "AWS SDKs and Tools Reference Guide", page "Retry behavior".
  public static var awsQuota: Stack { retrying("AWS quota", within: AWSRetryQuota(.standard)) }

  /// The retry quota of the AWS SDKs since 2026: 500 tokens, a retry costs 14, after an explicit
  /// reply of overload 5.
  ///
  /// Source: "Announcing updated retry behavior for AWS SDKs and Tools", AWS Developer Tools Blog,
  /// 2026.
  public static var aws14: Stack { retrying("AWS-14", within: AWSRetryQuota(.of2026)) }

  /// Finagle's retry budget: 20 % of the calls of the last 10 s, and 10 retries a second.
  ///
  /// Source: Finagle's guide, page "Clients", section "Retry Budgets".
  public static var finagleBudget: Stack {
    retrying("Finagle budget", within: FinagleRetryBudget())
  }

  /// Envoy's retry budget: as many retries at a time as 20 % of the requests under way, at least 3.
  ///
  /// Source: Envoy's API reference, `config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget`.
  public static var envoyBudget: Stack { retrying("Envoy budget", within: EnvoyRetryBudget()) }

  private static func retrying(_ name: String, within quota: some RetryQuota) -> Stack {
    Stack(name) { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        QuotaRetry(
          quota, maxAttempts: client.maxAttempts, clock: client.clock, seed: client.seed())
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }
}
