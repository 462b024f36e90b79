extension PipelineMistake {
  /// The mistakes that are known in the order of these layers.
  ///
  /// - Parameter layers: the outermost first, as ``ConcurrentPolicy/layers`` has them.
  /// - Returns: the mistakes, at most one for each layer that stands wrong, in the order of those.
  public static func mistakes(in layers: [PolicyLayer]) -> [PipelineMistake] {
    let order = LayerOrder(layers: layers)
    return layers.indices.compactMap { order.mistake(at: $0) }
  }
}

/// Layers, and what stands inside and outside each.
private struct LayerOrder {
  let layers: [PolicyLayer]

  func mistake(at position: Int) -> PipelineMistake? {
    switch layers[position].role.kind {
    // One that abandons ends a call even where a shorter one outside has cancelled it.
    case .timeout(let limit, let abandons):
      abandons ? nil : mistake(ofTimeout: limit, at: position)
    case .retry: mistake(ofRetryAt: position)
    case .circuitBreaker: mistake(.circuitBreakerOutsideRetry, outsideRetry: position)
    case .bulkhead, .adaptiveLimiter: mistake(.slotHeldDuringRetry, outsideRetry: position)
    case .rateLimiter, .throttle: mistake(.limitOutsideRetry, outsideRetry: position)
    case .hedge: mistake(.retryInsideHedge, outsideRetry: position)
    case .faultInjection, .other: nil
    }
  }

  private func mistake(ofTimeout limit: Duration, at position: Int) -> PipelineMistake? {
    let longEnough = layers[..<position].lastIndex { layer in
      if case .timeout(let outer, _) = layer.role.kind { outer <= limit } else { false }
    }
    return longEnough.map { mistake(.timeoutWithoutEffect, $0, position) }
  }

  private func mistake(ofRetryAt position: Int) -> PipelineMistake? {
    guard wantsAttempts(at: position) else { return nil }
    guard makesAttempts(at: position) else {
      return lastRetry(before: position).map { mistake(.retryInsideRetry, $0, position) }
    }
    // A hedge comes to the aid of an attempt that hangs as well.
    let boundsAttempts = layers[(position + 1)...].contains { layer in
      switch layer.role.kind {
      case .timeout, .hedge: true
      default: false
      }
    }
    guard !boundsAttempts else { return nil }
    let total = layers[..<position].lastIndex { layer in
      if case .timeout = layer.role.kind { true } else { false }
    }
    return total.map { mistake(.noAttemptTimeout, $0, position) }
  }

  /// The mistake of standing outside a retry, if there is one inside.
  private func mistake(
    _ kind: PipelineMistake.Kind, outsideRetry position: Int
  ) -> PipelineMistake? {
    let retry = layers.indices[(position + 1)...].first { makesAttempts(at: $0) }
    return retry.map { mistake(kind, position, $0) }
  }

  private func mistake(_ kind: PipelineMistake.Kind, _ outer: Int, _ inner: Int) -> PipelineMistake
  {
    PipelineMistake(
      kind: kind, layers: [layers[outer], layers[inner]], positions: [outer, inner])
  }

  /// Whether a layer is a retry that repeats anything where it stands.
  private func makesAttempts(at position: Int) -> Bool {
    guard case .retry(_, let nests) = layers[position].role.kind else { return false }
    return wantsAttempts(at: position) && (nests || lastRetry(before: position) == nil)
  }

  /// Whether a layer is a retry that repeats anything by itself; one attempt is how a retry is
  /// switched off.
  private func wantsAttempts(at position: Int) -> Bool {
    guard case .retry(let maxAttempts, _) = layers[position].role.kind else { return false }
    return maxAttempts > 1
  }

  private func lastRetry(before position: Int) -> Int? {
    layers[..<position].indices.last { wantsAttempts(at: $0) }
  }
}
