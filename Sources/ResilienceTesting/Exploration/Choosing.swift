extension VirtualClock {
  /// One of the options, as the order of the run loop chooses: each in turn where schedules are
  /// explored exhaustively, a drawn one in ``Order/shuffled(seed:)``, the first in ``Order/arrival``
  /// and without a loop.
  ///
  /// So a program leaves open what happens to it, beside when: whether a reply fails, at which
  /// instant its caller gives up.
  ///
  /// - Parameter options: what there is to choose from; at least one.
  public func choose<Options: Collection>(from options: Options) -> Options.Element {
    precondition(!options.isEmpty, "There is nothing to choose from.")
    let chosen = loop?.choose(from: options.count) ?? 0
    return options[options.index(options.startIndex, offsetBy: chosen)]
  }
}
