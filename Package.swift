// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
  .enableUpcomingFeature("ExistentialAny"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
  .enableUpcomingFeature("InternalImportsByDefault"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
  .enableUpcomingFeature("MemberImportVisibility"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0470-isolated-conformances.md
  .enableUpcomingFeature("InferIsolatedConformances"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0481-weak-let.md
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0458-strict-memory-safety.md
  .strictMemorySafety(),
]

let package = Package(
  name: "swift-resilience",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "Resilience", targets: ["Resilience"]),
    .library(name: "ResilienceTesting", targets: ["ResilienceTesting"]),
    .library(name: "ResilienceSimulation", targets: ["ResilienceSimulation"]),
    .executable(name: "resilience-simulator", targets: ["resilience-simulator"]),
  ],
  targets: [
    .target(name: "Resilience", swiftSettings: settings),
    .target(name: "ResilienceTesting", dependencies: ["Resilience"], swiftSettings: settings),
    .target(
      name: "ResilienceSimulation", dependencies: ["Resilience", "ResilienceTesting"],
      swiftSettings: settings),
    .executableTarget(
      name: "resilience-simulator", dependencies: ["ResilienceSimulation"],
      swiftSettings: settings),
    .testTarget(
      name: "ResilienceTests", dependencies: ["Resilience", "ResilienceTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "ResilienceTestingTests", dependencies: ["Resilience", "ResilienceTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "ResilienceSimulationTests",
      dependencies: ["Resilience", "ResilienceTesting", "ResilienceSimulation"],
      swiftSettings: settings),
    .testTarget(
      name: "ResilienceExplorationTests", dependencies: ["Resilience", "ResilienceTesting"],
      swiftSettings: settings),
  ]
)
