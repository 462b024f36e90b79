extension Stack {
  /// What others do, by rule: the stacks that this library's are compared with.
  ///
  /// Re-implementations from the published rules, not the libraries themselves: what is compared is
  /// what the rules do to a service, not anybody's code.
  public static var compared: [Stack] {
    [
      gRPCThrottle, awsQuota, aws14, finagleBudget, envoyBudget,
      gobreaker, resilience4j, polly, classicBreaker,
      adaptiveThrottle, uncappedThrottle,
    ]
  }
}
