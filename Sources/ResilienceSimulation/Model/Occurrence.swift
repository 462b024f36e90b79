import ResilienceTesting

/// A trouble in the course of a trial.
struct Occurrence: Sendable {
  let trouble: Trouble
  let start: VirtualClock.Instant
  let end: VirtualClock.Instant
}
