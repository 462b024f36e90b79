/// Something that goes wrong, from the moment at which it is put into a scenario.
public struct Trouble: Sendable, CustomStringConvertible {
  /// What becomes of a request; `nil` leaves it to the troubles that follow, and to the service.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - elapsed: how long the trouble has lasted.
  ///   - chance: drawn for this request, uniform in 0..<1.
  public typealias Rule =
    @Sendable (_ request: Request, _ elapsed: Duration, _ chance: Double) -> Treatment?

  enum Effect: Sendable {
    case rule(Rule)
    case capacity(Double)
    case warming(from: Double, over: Int)
    case load(Double)
    case serverPauses(of: Duration, every: Duration)
    case clientPause(of: Duration)
    case clockStep(by: Duration)
  }

  let effect: Effect

  /// What goes wrong, in words.
  public let description: String

  /// Whether it is something in the clients' own processes.
  var isOfClients: Bool {
    switch effect {
    case .clientPause, .clockStep: true
    case .rule, .capacity, .warming, .load, .serverPauses: false
    }
  }

  private init(_ description: String, _ effect: Effect) {
    self.description = description
    self.effect = effect
  }

  /// A trouble of your own making.
  ///
  /// - Parameters:
  ///   - description: what it is, for reports.
  ///   - rule: decides about each request. It must decide by its arguments alone: the same seed has
  ///     to give the same run.
  public static func custom(_ description: String, _ rule: @escaping Rule) -> Trouble {
    Trouble(description, .rule(rule))
  }
}

// MARK: - Troubles of the service

extension Trouble {
  /// Workers take longer: they do `share` of the work that they otherwise do in a time.
  public static func capacity(_ share: Double) -> Trouble {
    Trouble("capacity × \(share)", .capacity(max(1e-6, share)))
  }

  /// The service starts with `share` of its capacity, and is whole after `requests` have been worked
  /// on: caches fill, code is compiled, connections are made.
  public static func warming(from share: Double, over requests: Int) -> Trouble {
    Trouble(
      "capacity × \(share), whole after \(requests) requests",
      .warming(from: max(1e-6, share), over: max(1, requests)))
  }

  /// Requests fail fast.
  ///
  /// - Parameters:
  ///   - share: how many of them, 0 to 1.
  ///   - delay: after how long.
  ///   - keys: only requests for these; by default all.
  public static func failing(
    _ share: Double = 1, after delay: Duration = .milliseconds(2), keys: Range<Int>? = nil
  ) -> Trouble {
    custom("\(share * 100) % fail after \(delay)\(Self.scope(keys))") { request, _, chance in
      keys?.contains(request.key) != false && chance < share ? .fail(after: delay) : nil
    }
  }

  /// The service fails everything for one period, is well for the next, and so on.
  ///
  /// - Parameter period: at least a millisecond; held at that.
  public static func flapping(every period: Duration) -> Trouble {
    let period = max(.milliseconds(1), period)
    return custom("fails and heals every \(period)") { _, elapsed, _ in
      Int(elapsed / period) % 2 == 0 ? .fail(after: .milliseconds(2)) : nil
    }
  }

  /// Requests are never answered.
  public static func silence(keys: Range<Int>? = nil) -> Trouble {
    custom("no reply\(Self.scope(keys))") { request, _, _ in
      keys?.contains(request.key) != false ? .ignore : nil
    }
  }

  /// Some answers come late, though no worker is busy with them: the network, a lock, a disk.
  public static func stragglers(_ share: Double, delay: Duration) -> Trouble {
    custom("\(share * 100) % take \(delay) more") { _, _, chance in
      chance < share ? .serve(delay: delay) : nil
    }
  }

  /// The service stands still again and again, as in a collection of garbage.
  ///
  /// - Parameters:
  ///   - length: how long each time.
  ///   - period: from one beginning to the next; at least a millisecond, and held at that.
  public static func serverPauses(of length: Duration, every period: Duration) -> Trouble {
    let period = max(.milliseconds(1), period)
    return Trouble(
      "server pauses of \(length) every \(period)", .serverPauses(of: length, every: period))
  }

  private static func scope(_ keys: Range<Int>?) -> String {
    guard let keys else { return "" }
    return keys.count == 1
      ? ", key \(keys.lowerBound)" : ", keys \(keys.lowerBound) to \(keys.upperBound - 1)"
  }
}

// MARK: - Troubles of the clients

extension Trouble {
  /// Users call more, or less, than the scenario's load says.
  public static func load(times factor: Double) -> Trouble {
    Trouble("load × \(factor)", .load(max(1e-6, factor)))
  }

  /// All clients stand still once: nothing of theirs runs, while their time goes on.
  public static func clientPause(of length: Duration) -> Trouble {
    Trouble("client pause of \(length)", .clientPause(of: length))
  }

  /// The clock that clients read jumps once. Timers that are set are not moved by it.
  public static func clockStep(by step: Duration) -> Trouble {
    Trouble("clock step of \(step)", .clockStep(by: step))
  }
}
