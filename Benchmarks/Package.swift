// swift-tools-version: 6.3
import PackageDescription

/// A C program that does the same work with another library.
func peer(_ name: String, _ libraries: [String]) -> Target {
    .executableTarget(
        name: "peer-\(name)", dependencies: ["CBench"], path: "Peers/\(name)", cSettings: [.define("_GNU_SOURCE")],
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "swift-tevent", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .target(name: "CBench", path: "Peers/CBench", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(
            name: "peer-engine",
            dependencies: [
                "CBench", .product(name: "Talloc", package: "swift-tevent"),
                .product(name: "Tevent", package: "swift-tevent"),
                .product(name: "TeventTasks", package: "swift-tevent"),
                .product(name: "TeventRecording", package: "swift-tevent"),
                .product(name: "Chapter4Requests", package: "swift-tevent"),
            ],
            path: "Peers/engine", swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
        .executableTarget(
            name: "bench", dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Runner"),
        .executableTarget(
            name: "peer-nio",
            dependencies: [
                "CBench", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Peers/nio", swiftSettings: [.swiftLanguageMode(.v5)]),
        peer("floor", []),
        peer("ring", []),
        peer("libtevent", ["tevent", "talloc"]),
        peer("libuv", ["uv"]),
        peer("libevent", ["event_core", "event_pthreads"]),
        peer("libev", ["ev"]),
    ]
)
