/// Jobs in the order of their arrival.
struct JobQueue {
  private var jobs: [UnownedJob] = []
  private var head = 0

  var isEmpty: Bool { head == jobs.count }
  var count: Int { jobs.count - head }

  mutating func append(_ job: UnownedJob) {
    jobs.append(job)
  }

  mutating func popFirst() -> UnownedJob? {
    guard head < jobs.count else { return nil }
    defer { head += 1 }
    if head >= 1024, head * 2 >= jobs.count {
      jobs.removeFirst(head)
      head = 0
    }
    return jobs[head]
  }

  mutating func popLast() -> UnownedJob? {
    isEmpty ? nil : jobs.removeLast()
  }

  /// Keeps the others in their order: O(n).
  mutating func remove(at index: Int) -> UnownedJob {
    jobs.remove(at: head + index)
  }
}
