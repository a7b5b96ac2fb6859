// swift-tools-version: 6.3
// snippet: manifest
import PackageDescription

let package = Package(
    name: "my-program",
    dependencies: [.package(name: "swift-tevent", path: "../swift-tevent")],
    targets: [
        .executableTarget(
            name: "my-program",
            dependencies: [.product(name: "Tevent", package: "swift-tevent")])
    ])
// snippet-end: manifest
