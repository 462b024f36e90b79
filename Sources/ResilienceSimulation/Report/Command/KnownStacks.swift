extension Stack {
  /// The stacks that the simulator knows by name.
  package static var known: [Stack] { own + compared }
}
