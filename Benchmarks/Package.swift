// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let resilience = Target.Dependency.product(name: "Resilience", package: "swift-resilience")

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "swift-resilience", path: "..")],
  targets: [
    .target(name: "Timing", swiftSettings: settings),
    .executableTarget(
      name: "breaker-timing", dependencies: ["Timing", resilience], swiftSettings: settings),
    .executableTarget(
      name: "admission-timing", dependencies: ["Timing", resilience], swiftSettings: settings),
    .executableTarget(
      name: "simulation-timing",
      dependencies: [.product(name: "ResilienceSimulation", package: "swift-resilience")],
      swiftSettings: settings),
    .executableTarget(
      name: "pipeline-timing", dependencies: ["Timing", resilience], swiftSettings: settings),
  ]
)
