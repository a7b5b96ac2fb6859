/// Work with several sizes of its surroundings, to show how its cost grows.
struct Growth {
    /// The name that the peers know; `--only growth` selects all of them.
    let workload: String
    let title: String
    /// What the size counts.
    let things: String
    let sizes: [Int]
    /// The largest size for peers that take more than about twenty seconds with larger ones.
    var largest: [String: Int] = [:]
    var note: String?

    /// Whether each of them takes a descriptor of the process.
    var needsDescriptors = false

    var name: String { "growth-\(workload)" }

    static let all: [Growth] = [
        Growth(
            workload: "timer-insert", title: "random timers, per insert", things: "timers", sizes: timers,
            largest: ["libtevent": 10_000], note: walksList),
        Growth(
            workload: "timer-dispatch", title: "due timers, per dispatch", things: "timers", sizes: timers,
            largest: ["libtevent": 10_000, "nio": 100_000],
            note: walksList + "; SwiftNIO was seen to take half a minute for 1,000,000"),
        Growth(
            workload: "pipes-growing", title: "pipes, up to 100 busy, per event", things: "descriptors",
            sizes: [10, 100, 1000, 10_000], needsDescriptors: true),
        Growth(
            workload: "queue-growing", title: "queue entry, so many waiting", things: "entries",
            sizes: [100, 1000, 10_000, 100_000, 1_000_000]),
    ]

    private static let timers = [1000, 10_000, 100_000, 1_000_000]
    private static let walksList =
        "libtevent walks a list to insert a timer: 100,000 would take it most of a minute, 1,000,000 hours"

    /// How often each size is measured.
    static let rounds = 3
}

/// The figures of all peers for one workload, for each size.
struct GrowthRow: Codable {
    let name: String
    let title: String
    let things: String
    var points: [Point] = []

    struct Point: Codable {
        let size: Int
        /// The figures, by peer.
        var figures: [String: Figures] = [:]
    }

    init(_ growth: Growth) {
        name = growth.name
        title = growth.title
        things = growth.things
    }
}
