import Resilience

/// The core's. `ResilienceTesting` compiles the same file once more, so there are two of that name.
typealias Lock<State> = Resilience.Lock<State>
