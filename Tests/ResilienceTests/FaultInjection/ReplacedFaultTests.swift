import Resilience
import Testing

@Suite("FI-1: faults that are replaced")
struct ReplacedFaultTests {
  @Test("FI-1: a fault that is replaced ends outside the lock")
  func callsBack() async {
    await #expect(processExitsWith: .success) {
      let faults = FaultInjection([])
      do {
        let tail = Tail { _ = faults.faults }
        faults.setFaults([
          .error(rate: 1) {
            _ = tail
            return Unavailable()
          }
        ])
      }
      faults.setFaults([])
    }
  }
}
