// swift-tools-version: 6.3
import PackageDescription

// A program that links nothing but `Resilience`: what it loads is what importing the library costs.
let package = Package(
  name: "Linkage",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-resilience", path: "../..")],
  targets: [
    .executableTarget(
      name: "linkage",
      dependencies: [.product(name: "Resilience", package: "swift-resilience")])
  ]
)
