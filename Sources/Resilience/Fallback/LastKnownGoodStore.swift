extension LastKnownGood {
  /// What is remembered, and in which order it was used. Reads no clock and takes no lock.
  ///
  /// Entries are nodes of a circular list in an array, linked by their places in it, so that each
  /// operation costs one look into a dictionary and a few links. What it takes out it hands to its
  /// caller: the end of a value runs code of the user's, which must not happen under a lock.
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

    private struct Node: Sendable {
      /// Empty in the list's head, and in a place that is free.
      var entry: Entry?
      var older: Int
      var newer: Int
    }

    private let capacity: Int
    private let maxAge: Int64
    private var places: [Key: Int] = [:]

    /// The first is the list's head: the most recently used is its `older`, the least recently used
    /// its `newer`.
    private var nodes = [Node(entry: nil, older: 0, newer: 0)]
    private var free: [Int] = []

    init(capacity: Int, maxAge: Int64) {
      self.capacity = capacity
      self.maxAge = maxAge
    }

    /// How many values are remembered, those included that are too old and that nobody asked for.
    var count: Int { places.count }

    /// Remembers a value as the one that was used last.
    ///
    /// - Returns: what had to go: the key's earlier value, or the least recently used one.
    mutating func remember(_ value: Value, for key: Key, at now: Int64) -> Entry? {
      if let place = places[key] {
        let earlier = nodes[place].entry
        nodes[place].entry = Entry(key: earlier?.key ?? key, value: value, instant: now)
        touch(place)
        return earlier
      }
      let evicted = count == capacity ? remove(at: nodes[0].newer) : nil
      let place = freePlace()
      nodes[place].entry = Entry(key: key, value: value, instant: now)
      places[key] = place
      link(place)
      return evicted
    }

    /// What is known for the key, which counts as a use; nothing that is older than the maximum age.
    mutating func recall(_ key: Key, at now: Int64) -> Recollection {
      guard let place = places[key], let entry = nodes[place].entry else { return Recollection() }
      let age = max(0, now.subtractingSaturated(entry.instant))
      guard age <= maxAge else { return Recollection(expired: remove(at: place)) }
      touch(place)
      return Recollection(known: (entry.value, age))
    }

    /// - Returns: what was remembered for the key.
    mutating func forget(_ key: Key) -> Entry? {
      places[key].flatMap { remove(at: $0) }
    }

    private mutating func remove(at place: Int) -> Entry? {
      unlink(place)
      free.append(place)
      guard let entry = nodes[place].entry else { return nil }
      nodes[place].entry = nil
      places[entry.key] = nil
      return entry
    }

    private mutating func freePlace() -> Int {
      if let place = free.popLast() { return place }
      nodes.append(Node(entry: nil, older: 0, newer: 0))
      return nodes.count - 1
    }

    private mutating func touch(_ place: Int) {
      unlink(place)
      link(place)
    }

    private mutating func unlink(_ place: Int) {
      let (older, newer) = (nodes[place].older, nodes[place].newer)
      nodes[older].newer = newer
      nodes[newer].older = older
    }

    private mutating func link(_ place: Int) {
      let latest = nodes[0].older
      nodes[place].older = latest
      nodes[place].newer = 0
      nodes[latest].newer = place
      nodes[0].older = place
    }
  }
}
