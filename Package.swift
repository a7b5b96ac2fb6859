// swift-tools-version: 6.3
import PackageDescription

/// The settings of every chapter: no unsafe code, and no warnings.
let safe: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error)]

/// Async functions run where their caller does, so that they may use its handles.
let nonsending: [SwiftSetting] = [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// The number of the chapter to build and test alone, with what it needs, if the environment names one: `CHAPTER=4`.
let onlyChapter = Context.environment["CHAPTER"].map { text in
    guard let number = Int(text), (1...7).contains(number) else { fatalError("CHAPTER is '\(text)'; give 1 to 7") }
    return number
}

// MARK: The chapters

/// The chapters in order: one line adds a chapter, one name adds an example.
///
/// `Chapters/1-ContextAndLoops` holds the first one: `Module/` is its library `Chapter1ContextAndLoops`, and each
/// example is an executable in the folder of its name, beside the output it is expected to print.
let chapters =
    chapter(
        1, "ContextAndLoops",
        examples: [
            "talloc-tree", "first-loop", "create-context", "once-or-wait", "turn-order", "two-contexts", "nested-loop",
            "record-a-run",
        ])
    + chapter(
        2, "Events", after: ["Chapter1ContextAndLoops"],
        examples: [
            "timer-order", "ticker", "immediates", "catch-interrupt", "watch-descriptor", "read-lines",
            "write-when-ready", "free-in-handler", "close-order", "give-way",
        ])
    + chapter(
        3, "AccessingData", after: ["Chapter1ContextAndLoops", "Chapter2Events"],
        examples: ["request-data", "wrong-type", "captured-data", "state-lives"])
    + chapter(
        4, "Requests", after: ["Chapter1ContextAndLoops", "Chapter2Events", "Chapter3AccessingData"],
        examples: [
            "add-later", "finish-or-fail", "out-of-memory", "end-time", "ends-early", "cascade", "deep-cascade",
            "wakeup", "cancel-cleanup", "progress", "defer-callback", "profile", "finish-twice", "wrong-parent",
            "not-ready", "forgotten-finish",
            "echo-server", "echo-load",
        ])
    + chapter(
        5, "Queues",
        after: ["Chapter1ContextAndLoops", "Chapter2Events", "Chapter3AccessingData", "Chapter4Requests"],
        examples: [
            "mixed-writes", "queued-writes", "queue-trace", "add-or-start", "log-barrier", "stop-and-start",
            "half-written", "goes-away", "never-freed",
        ])
    + chapter(
        6, "Threads",
        after: [
            "Chapter1ContextAndLoops", "Chapter2Events", "Chapter3AccessingData", "Chapter4Requests", "Chapter5Queues",
        ],
        examples: [
            "thread-pipe", "one-way", "request-reply", "wrong-loop", "many-workers", "loop-ended",
            "threaded-immediate", "coalesced-wakeups", "echo-cores",
        ])
    + chapter(
        7, "AsyncAwait",
        after: [
            "Chapter1ContextAndLoops", "Chapter2Events", "Chapter3AccessingData", "Chapter4Requests", "Chapter5Queues",
            "Chapter6Threads",
        ], isAsync: true,
        examples: [
            "first-await", "both-ways", "cancel-task", "task-deadline", "task-group", "async-lines", "wrong-main",
            "starving-task", "async-echo",
        ])

/// The targets of one chapter, whose module builds on those of the chapters before it.
///
/// A chapter whose programs await requests has no module: later chapters have nothing to take from it.
func chapter(
    _ number: Int, _ name: String, after earlier: [String] = [], isAsync: Bool = false, examples: [String]
) -> [Target] {
    let folder = "Chapters/\(number)-\(name)"
    let module = "Chapter\(number)\(name)"
    let engine: [Target.Dependency] =
        ["Talloc", "Tevent", "TeventRecording"] + (number > 1 ? ["TeventExtras"] : [])
        + (isAsync ? ["TeventTasks"] : [])
    let modules = earlier.map { Target.Dependency(stringLiteral: $0) }
    let settings = isAsync ? nonsending : []
    let library = Target.target(
        name: module, dependencies: engine + modules + [argumentParser], path: "\(folder)/Module",
        swiftSettings: safe + settings)
    let libraries = isAsync ? [] : [library]
    if let onlyChapter, onlyChapter != number { return onlyChapter < number ? [] : libraries }
    let own = engine + modules + libraries.map { Target.Dependency(stringLiteral: $0.name) }
    let tests = Target.testTarget(
        name: "\(module)Tests", dependencies: own + ["TestSupport"], swiftSettings: settings)
    let programs = examples.map { example in
        Target.executableTarget(
            name: example, dependencies: own + [argumentParser], path: "\(folder)/\(example)",
            exclude: ["expected.txt"], swiftSettings: safe + settings)
    }
    return libraries + [tests] + programs
}

// MARK: The package

let engine: [Target] = [
    .systemLibrary(name: "CTalloc", pkgConfig: "talloc", providers: [.apt(["libtalloc-dev"])]),
    .target(name: "CLinux"),
    .target(name: "Talloc", dependencies: ["CTalloc", "CLinux"]),
    .target(name: "Tevent", dependencies: ["Talloc", "CTalloc", "CLinux"], exclude: ["README.md"]),
    // What programs often need on top of the engine, as the chapters build it.
    .target(name: "TeventExtras", dependencies: ["Talloc", "Tevent"], swiftSettings: safe),
    // Async functions on the loop. A product of its own, since Swift's runtime for them would otherwise be a part of every
    // program, and of the library for C programs.
    .target(name: "TeventTasks", dependencies: ["Talloc", "Tevent", "CLinux"], swiftSettings: nonsending),
    // What the loops did, for the player (in Player) and for Perfetto.
    .target(name: "CPlayer"),
    .target(name: "TeventRecording", dependencies: ["Talloc", "Tevent", "CTalloc", "CLinux", "CPlayer"]),
]

/// What the tests share with the tour: running a program as a user would.
let support: [Target] = [
    .target(name: "CChildProcess"),
    .target(name: "ChildProcess", dependencies: ["CChildProcess"]),
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    .target(name: "TestSupport", dependencies: ["ChildProcess", "CTestSupport"], path: "Tests/TestSupport"),
]

let chapterModules = chapters.filter { $0.type == .regular }.map { Target.Dependency(stringLiteral: $0.name) }

let others: [Target] = [
    .testTarget(name: "TallocTests", dependencies: ["Talloc", "CTalloc", "CLinux", "TestSupport"]),
    .testTarget(
        name: "TeventTests", dependencies: ["Tevent", "TestSupport", "CTestSupport", "CLinux"],
        exclude: ["Promises/does-not-compile"]),

    .testTarget(
        name: "TeventTasksTests",
        dependencies: ["TeventTasks", "TeventRecording", "Tevent", "Talloc", "TestSupport", "CTestSupport"],
        exclude: ["does-not-compile"], swiftSettings: nonsending),

    .testTarget(
        name: "TeventRecordingTests",
        dependencies: ["TeventRecording", "Tevent", "Talloc", "TestSupport", "CTestSupport", "CLinux"]),

    // The same engine for C programs, as libtevent; see `make drop-in`.
    .target(name: "CTevent"),
    .target(name: "TeventC", dependencies: ["Tevent", "TeventRecording", "Talloc", "CTalloc", "CTevent"]),
    .testTarget(
        name: "TeventCTests",
        dependencies: [
            "TeventC", "CTevent", "Tevent", "TeventRecording", "Talloc", "CTalloc", "TestSupport", "CTestSupport",
        ]),

    .executableTarget(
        name: "tour", dependencies: ["ChildProcess", "Tevent", argumentParser], path: "Sources/Tour"),
    // A place for readers to write their own programs.
    .executableTarget(
        name: "scratch", dependencies: ["Talloc", "Tevent", "TeventExtras"] + chapterModules, path: "Scratch"),
    .testTarget(name: "ToolingTests", dependencies: ["TestSupport"], exclude: ["FirstProgram"]),

    // Runs random programs over the whole public API; written as safely as a chapter. See `make fuzz`.
    .executableTarget(
        name: "fuzz",
        dependencies: [
            "Talloc", "Tevent", "TeventExtras", "TeventTasks", "TeventRecording", "ChildProcess", argumentParser,
        ],
        path: "Tests/Fuzz",
        swiftSettings: safe + nonsending),
]

let libraries: [Product] = [
    .library(name: "Talloc", targets: ["Talloc"]),
    .library(name: "Tevent", targets: ["Tevent"]),
    .library(name: "TeventExtras", targets: ["TeventExtras"]),
    .library(name: "TeventTasks", targets: ["TeventTasks"]),
    .library(name: "TeventRecording", targets: ["TeventRecording"]),
]

let package = Package(
    name: "swift-tevent",
    products: onlyChapter != nil
        ? libraries
        : libraries + [
            .library(name: "TeventC", type: .static, targets: ["TeventC"]),
            // For the benchmarks, which measure the chapter's own echo server.
            .library(name: "Chapter4Requests", targets: ["Chapter4Requests"]),
        ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: engine + support + chapters + (onlyChapter != nil ? [] : others)
)
