extension Bulkhead {
  /// Who of those who wait is served first, and who leaves when too many do.
  public struct Order: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
      case fifo, newestFirst, priority
    }

    let kind: Kind

    /// Who came first. A full queue refuses who comes.
    public static let fifo = Order(kind: .fifo)

    /// Who came last; a full queue drops its oldest.
    ///
    /// Under overload the oldest will not be served in time, and nobody may wait for them any more.
    /// So waits are short as well, by CoDel: who comes when the queue has not been empty for more
    /// than 100 ms waits for at most 5 ms, anybody else for at most 100 ms, whatever `maxWait` allows
    /// beyond that (B. Maurer, "Fail at Scale", ACM Queue 13 (8), 2015).
    public static let newestFirst = Order(kind: .newestFirst)

    /// Whose task had the highest priority when it came; of equals, who came first.
    ///
    /// A full queue drops its least urgent, of those the newest, for who is more urgent, and refuses
    /// who is not. A steady flow of urgent calls keeps the others waiting until their time is over.
    public static let priority = Order(kind: .priority)

    /// The order in words, for a log.
    public var description: String {
      switch kind {
      case .fifo: "first in, first out"
      case .newestFirst: "newest first"
      case .priority: "by priority"
      }
    }
  }

  /// The settings of a bulkhead, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How many calls may be in flight; at least 1, held at 2 147 483 647.
    public var limit: Int

    /// How many calls may wait; zero or more.
    public var queue: Int

    /// For how long a call may wait; zero or more. With zero none waits.
    public var maxWait: Duration

    /// Who of those who wait is served first.
    public var order: Order

    /// A limit; nobody waits unless told otherwise, and then for at most a second, first in first
    /// out.
    public init(
      limit: Int, queue: Int = 0, maxWait: Duration = .seconds(1), order: Order = .fifo
    ) {
      self.limit = limit
      self.queue = queue
      self.maxWait = maxWait
      self.order = order
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter, value
    ///   and range. A bulkhead made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      validation.require(limit >= 1, "limit", is: limit, allowed: "1...")
      validation.require(queue >= 0, "queue", is: queue, allowed: "0...")
      validation.require(maxWait >= .zero, "maxWait", is: maxWait, allowed: "zero or more")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      guard queue > 0 else { return "\(limit) at a time, no queue" }
      return "\(limit) at a time, a queue of \(queue) for up to \(maxWait), \(order)"
    }

    /// As many as may wait in fact.
    var capacity: Int { maxWait > .zero ? queue : 0 }

    /// As many as may be in flight in fact.
    var heldLimit: Int { min(limit, Gate.Word.most) }
  }
}
