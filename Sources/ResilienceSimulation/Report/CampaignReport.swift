// From the figures of trials to the report.

extension Campaign {
  typealias Figures = [PlannedTrial: [Double?]]

  func report(on figures: Figures) -> Report {
    Report(
      stacks: stacks.map(\.name), clients: clients, seeds: seeds,
      model: Scenario("").modelInWords,
      sections: scenarios.indices.map { section($0, figures) })
  }

  private func section(_ scenario: Int, _ figures: Figures) -> Report.Section {
    let failure = scenarios[scenario]
    let rows = failure.variants.enumerated().flatMap { variant, form in
      form.figures.indices.flatMap { figure in
        clients.map { clients in
          let place = PlannedTrial(
            scenario: scenario, variant: variant, stack: 0, clients: clients, seed: 0)
          return row(form, figure, at: place, figures)
        }
      }
    }
    return Report.Section(
      number: failure.number, title: failure.title, summary: failure.summary, rows: rows)
  }

  private func row(
    _ variant: FailureScenario.Variant, _ index: Int, at place: PlannedTrial, _ figures: Figures
  ) -> Report.Row {
    let figure = variant.figures[index]
    let cells = stacks.indices.map { stack in
      let values = values(of: stack, figure: index, at: place, figures) ?? []
      let target = figure.target?.applying(to: stacks[stack].name, clients: place.clients)
      let verdict = target.map { target in
        let reference = lineup.firstIndex { $0.name == target.reference }
        let references = reference.flatMap {
          self.values(of: $0, figure: index, at: place, figures)
        }
        return target.verdict(on: values, beside: references, isMean: figure.isMean)
      }
      return Report.Cell(
        stack: stacks[stack].name, values: values, verdict: verdict ?? .notJudged)
    }
    return Report.Row(
      variant: variant.name, figure: figure.name, unit: figure.unit, clients: place.clients,
      target: figure.targetInWords(for: stacks.map(\.name), clients: place.clients), cells: cells)
  }

  /// By seed; `nil` if the stack did not run there.
  private func values(
    of stack: Int, figure: Int, at place: PlannedTrial, _ figures: Figures
  ) -> [Double?]? {
    var values: [Double?] = []
    for seed in seeds {
      var trial = place
      trial.stack = stack
      trial.seed = seed
      guard let measured = figures[trial] else { return nil }
      values.append(measured[figure])
    }
    return values
  }
}

extension Scenario {
  /// The scenario's model in words, without what goes wrong.
  var modelInWords: String {
    let rate = load.callsPerSecond(clients: 1)
    return """
      \(service.workers) workers, service time \(service.serviceTime) \
      (\(service.capacity.trimmed) calls/s), a queue of \(service.queueLimit) first in, first out; \
      work goes on when nobody waits for it any more. Poisson arrivals, \(rate.trimmed) calls/s of \
      all clients together. An attempt may take \(attemptTimeout.written), a call \(deadline.written), and try \
      \(maxAttempts) times. \(warmUp.written) of warm-up, then the trouble, then \(watch.written) of watching. \
      Scenarios say where they differ.
      """
  }
}
