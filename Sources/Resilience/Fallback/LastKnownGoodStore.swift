extension LastKnownGood {
  /// What is remembered, and in which order it was used. Reads no clock and takes no lock.
  ///
  /// What it takes out it hands to its caller: the end of a value runs code of the user's, which must
  /// not happen under a lock.
  struct Store: Sendable {
    /// A value and when it was remembered.
    struct Entry: Sendable {
      let key: Key
      let value: Value
      let instant: Int64
    }

    /// What is known for a key, and what had to go because it is too old.
    struct Recollection: Sendable {
      var known: (value: Value, age: Int64)?
      var expired: Entry?
    }

    private let capacity: Int
    private let maxAge: Int64
    private var places: [Key: LinkedQueue<Entry>.Place] = [:]

    /// In the order of their last use.
    private var entries = LinkedQueue<Entry>()

    init(capacity: Int, maxAge: Int64) {
      self.capacity = capacity
      self.maxAge = maxAge
    }

    /// How many values are remembered, those included that are too old and that nobody asked for.
    var count: Int { entries.count }

    /// Remembers a value as the one that was used last.
    ///
    /// - Returns: what had to go: the key's earlier value, or the least recently used one.
    mutating func remember(_ value: Value, for key: Key, at now: Int64) -> Entry? {
      if let place = places[key] {
        entries.renew(place)
        return entries.update(place) { entry in
          let earlier = entry
          entry = Entry(key: earlier.key, value: value, instant: now)
          return earlier
        }
      }
      let evicted = count == capacity ? entries.oldest.flatMap { remove($0) } : nil
      places[key] = entries.append(Entry(key: key, value: value, instant: now))
      return evicted
    }

    /// What is known for the key, which counts as a use; nothing that is older than the maximum age.
    mutating func recall(_ key: Key, at now: Int64) -> Recollection {
      guard let place = places[key], let entry = entries[place] else { return Recollection() }
      let age = max(0, now.subtractingSaturated(entry.instant))
      guard age <= maxAge else { return Recollection(expired: remove(place)) }
      entries.renew(place)
      return Recollection(known: (entry.value, age))
    }

    /// - Returns: what was remembered for the key.
    mutating func forget(_ key: Key) -> Entry? {
      places[key].flatMap { remove($0) }
    }

    private mutating func remove(_ place: LinkedQueue<Entry>.Place) -> Entry? {
      guard let entry = entries.remove(place) else { return nil }
      places[entry.key] = nil
      return entry
    }
  }
}
