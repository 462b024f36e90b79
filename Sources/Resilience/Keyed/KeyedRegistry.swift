extension Keyed {
  /// The policies by key, and in the order of their last use. Takes no lock.
  struct Registry: Sendable {
    struct Entry: Sendable {
      let key: Key
      var policy: Policy

      /// Whether nobody else holds the policy, and it may go. Who holds one has it from here, under
      /// the lock that is held now, so nobody comes by it meanwhile.
      mutating func mayLeave() -> Bool {
        isKnownUniquelyReferenced(&policy) && policy.isEvictable
      }
    }

    private let capacity: Int
    private var places: [Key: LinkedQueue<Entry>.Place] = [:]
    private var entries = LinkedQueue<Entry>()

    private(set) var made = 0
    private(set) var evicted = 0

    /// How many of the least recently used are asked, each time a policy comes, whether they may go.
    /// Those that may not move up, so that others are asked the next time.
    static var patience: Int { 8 }

    init(capacity: Int) {
      self.capacity = capacity
    }

    var count: Int { entries.count }

    mutating func use(_ key: Key) -> Policy? {
      guard let place = places[key] else { return nil }
      entries.renew(place)
      return entries[place]?.policy
    }

    /// Adds a policy, unless there is one by now.
    ///
    /// - Returns: the key's policy, and what had to go, keys and policies: the caller ends them outside
    ///   the lock.
    mutating func insert(_ policy: Policy, for key: Key) -> (policy: Policy, evicted: [Entry]) {
      if let present = use(key) { return (present, []) }
      let gone = makeRoom()
      places[key] = entries.append(Entry(key: key, policy: policy))
      made.increment()
      return (policy, gone)
    }

    func all() -> [(key: Key, policy: Policy)] {
      var all: [(key: Key, policy: Policy)] = []
      all.reserveCapacity(count)
      var next = entries.oldest
      while let place = next, let entry = entries[place] {
        all.append((entry.key, entry.policy))
        next = entries.newer(than: place)
      }
      return all
    }

    private mutating func makeRoom() -> [Entry] {
      var gone: [Entry] = []
      for _ in 0..<Self.patience where count >= capacity {
        guard let oldest = entries.oldest else { break }
        guard entries.update(oldest, { $0.mayLeave() }) == true else {
          entries.renew(oldest)
          continue
        }
        guard let entry = entries.remove(oldest) else { break }
        places[entry.key] = nil
        evicted.increment()
        gone.append(entry)
      }
      return gone
    }
  }
}
