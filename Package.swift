// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "swift-tevent",
    products: [
        .library(name: "Talloc", targets: ["Talloc"]),
        .library(name: "Tevent", targets: ["Tevent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .systemLibrary(name: "CTalloc", pkgConfig: "talloc", providers: [.apt(["libtalloc-dev"])]),
        .target(name: "CLinux"),
        .target(name: "Talloc", dependencies: ["CTalloc", "CLinux"]),
        .target(name: "Tevent", dependencies: ["Talloc", "CTalloc", "CLinux"]),
        .executableTarget(
            name: "tour",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/Tour"),
        .testTarget(name: "TallocTests", dependencies: ["Talloc"]),
        .testTarget(name: "TeventTests", dependencies: ["Tevent"]),
    ]
)
