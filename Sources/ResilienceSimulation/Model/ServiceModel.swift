public import Resilience

/// A service as a queueing model: workers behind one queue, first come first served.
///
/// A request takes a free worker, or waits for one. A worker finishes what it has begun, also when
/// nobody waits for the answer any more: cancellation does not cross the network. That is what
/// makes overload stick.
public struct ServiceModel: Hashable, Sendable {
  /// How many requests are worked on at a time.
  public var workers: Int

  /// How many may wait; those beyond are refused at once.
  public var queueLimit: Int

  /// How long a worker takes for one request.
  public var serviceTime: ServiceTime

  /// What refusing a request costs a worker, as a share of the mean service time. At zero no worker
  /// is needed; otherwise the refusal waits in the queue like a request.
  public var refusalCost: Double

  /// The service of the ten scenarios, unless told otherwise: 10 workers, exponential times of mean
  /// 20 ms (500 calls a second), a queue of 20 000, refusals for free.
  public init(
    workers: Int = 10, queueLimit: Int = 20_000,
    serviceTime: ServiceTime = .exponential(mean: .milliseconds(20)), refusalCost: Double = 0
  ) {
    self.workers = workers
    self.queueLimit = queueLimit
    self.serviceTime = serviceTime
    self.refusalCost = refusalCost
  }

  /// Calls a second that all workers together can answer.
  public var capacity: Double { Double(workers) / serviceTime.mean.inSeconds }
}

/// One request as the service sees it.
public struct Request: Hashable, Sendable {
  /// Which client sends it, from 0 on.
  public let client: Int

  /// Which shard, endpoint or tenant it is for, from 0 on.
  public let key: Int

  /// How much it matters.
  public let criticality: Criticality

  /// Makes a request.
  public init(client: Int, key: Int = 0, criticality: Criticality = .normal) {
    self.client = client
    self.key = key
    self.criticality = criticality
  }
}

/// What the service does with a request.
public enum Treatment: Hashable, Sendable {
  /// Works on it; the answer may take its time after that, while the worker does something else.
  case serve(delay: Duration = .zero)

  /// Fails it after so much time, without a worker.
  case fail(after: Duration)

  /// Never answers it.
  case ignore
}

/// The service could not answer a request.
public enum ServiceError: Error, Hashable, Sendable {
  /// It failed.
  case failed

  /// Its queue is full, or its own limiter refused the request: an explicit reply of overload.
  case overloaded
}
