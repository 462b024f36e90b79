// swift-tools-version: 6.3
import PackageDescription

// The same as the library's own; the manifest at the root says what each one is.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .strictMemorySafety(),
]

let resilience: Target.Dependency = .product(name: "Resilience", package: "swift-resilience")
let resilienceTesting: Target.Dependency = .product(
  name: "ResilienceTesting", package: "swift-resilience")
let flyingFox: Target.Dependency = .product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")

let package = Package(
  name: "order-flow",
  // `Timeout` starts its child task at once, which older systems cannot.
  platforms: [.macOS(.v26)],
  products: [.executable(name: "order-flow", targets: ["order-flow"])],
  dependencies: [
    // Named, because a package by path is known by its folder, and a clone's folder can have any name.
    .package(name: "swift-resilience", path: "../.."),
    .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.1")),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .target(
      name: "OrderFlow", dependencies: [resilience, flyingFox, flyingSocks],
      swiftSettings: settings),
    .executableTarget(
      name: "order-flow",
      dependencies: [
        "OrderFlow", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "OrderFlowTests",
      dependencies: ["OrderFlow", "order-flow", resilience, resilienceTesting, flyingSocks],
      swiftSettings: settings),
  ]
)
