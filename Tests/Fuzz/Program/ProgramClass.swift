/// What a class of programs does, and what must hold for it.
struct ProgramClass: Sendable {
    /// A step that fills a register before the random steps begin.
    struct Step: Sendable {
        let kind: String
        let a: Int
        let b: Int
    }

    let name: String
    let summary: String
    /// The kinds of step, and how often those of each table come.
    let tables: [(kinds: [Kind], weight: Int)]
    /// Whether a program may end in one of the engine's traps, since some of its steps are misuse.
    var allowsTraps = false
    /// Whether events are freed only by explicit steps, so that a lost event is noticed when its closure is released.
    var isStrict = false
    /// Whether contexts use the system's clock, and their loops really wait.
    var usesRealClock = false
    /// Whether descriptors are closed while events watch them, so that these may be notified or not.
    var closesWatched = false
    /// Whether threads use what the program's own thread counts.
    var hasThreads = false
    /// The approximate number of steps in a program, without those of scripts.
    var length = 90

    /// The kinds with cumulative bounds, according to how often each should come.
    var table: [(kind: Kind, bound: Int)] {
        var bound = 0
        return tables.flatMap { table in
            let shares = table.kinds.map(\.share).reduce(0, +)
            return table.kinds.map { kind in
                bound += max(1, table.weight * kind.share * 100 / max(shares, 1))
                return (kind, bound)
            }
        }
    }

    /// The steps that fill the registers.
    var prelude: [Step] {
        let contexts = [Step(kind: "event-context", a: 0, b: 0), Step(kind: "event-context", a: 1, b: 1)]
        let memory = (0..<3).map { Step(kind: "context", a: $0, b: 0) }
        let pipes = (0..<3).map { Step(kind: "pipe", a: $0, b: $0) }
        return contexts + memory + pipes
    }
}

extension ProgramClass {
    static func named(_ name: String) -> ProgramClass? { all.first { $0.name == name } }

    static let all: [ProgramClass] = [
        ProgramClass(
            name: "memory", summary: "trees, values, destructors, pools, limits and reports",
            tables: [(Kind.trees, 8), (Kind.values, 6), (Kind.limits, 1)]),
        ProgramClass(
            name: "events", summary: "all kinds of event on several contexts, with handlers that do anything",
            tables: everyEvent, isStrict: true),
        ProgramClass(
            name: "hooks",
            summary: "events, and traces, debug functions, nested loops and destructors that do anything",
            tables: everyEvent + [(Kind.hooks, 4), (Kind.nesting, 2), (Kind.trees, 2)], isStrict: true),
        ProgramClass(
            name: "requests", summary: "requests with states of many types, and all their functions",
            tables: everyRequest + [(Kind.loops, 3), (Kind.trees, 4), (Kind.values, 2), (Kind.hooks, 1)]),
        ProgramClass(
            name: "operations",
            summary: "requests that read, write, accept, connect and wait, with traces that do anything",
            tables: [
                (Kind.operations, 7), (Kind.endings, 3), (Kind.descriptors, 4), (Kind.loops, 3), (Kind.hooks, 1),
                (Kind.trees, 1),
            ]),
        ProgramClass(
            name: "queues", summary: "queues and their entries, with triggers and traces that do anything",
            tables: [
                (Kind.queues, 8), (Kind.requests, 3), (Kind.endings, 3), (Kind.loops, 3), (Kind.hooks, 1),
                (Kind.trees, 2),
            ]),
        ProgramClass(
            name: "messages", summary: "inboxes, proxies, payloads, memory and triggers, all on one thread",
            tables: [(Kind.messages, 8), (Kind.timers, 3), (Kind.loops, 4), (Kind.contexts, 1), (Kind.hooks, 1)],
            isStrict: true),
        ProgramClass(name: "all", summary: "everything on one thread, anything under anything", tables: everything),
        ProgramClass(
            name: "limits", summary: "everything on one thread, under memory limits",
            tables: everything + [(Kind.limits, 4)]),
        ProgramClass(
            name: "surprises", summary: "descriptors that are closed and opened again while events watch them",
            tables: [
                (Kind.surprises, 4), (Kind.descriptors, 8), (Kind.operations, 3), (Kind.loops, 4), (Kind.hooks, 1),
            ],
            isStrict: true, closesWatched: true),
        ProgramClass(
            name: "odd", summary: "everything, with values at the ends of their types",
            tables: everything + [(Kind.odd, 8)]),
        ProgramClass(
            name: "real", summary: "events with the system's clock, whose loops wait for up to a millisecond",
            tables: everyEvent + [(Kind.hooks, 1)], usesRealClock: true),
        ProgramClass(
            name: "threads", summary: "programs on several threads, which send each other messages and memory",
            tables: [
                (Kind.threads, 3), (Kind.messages, 8), (Kind.timers, 2), (Kind.signals, 1), (Kind.loops, 3),
                (Kind.requests, 2), (Kind.endings, 1), (Kind.trees, 1), (Kind.workers, 1),
            ], usesRealClock: true, hasThreads: true),
        ProgramClass(
            name: "depth", summary: "trees and requests that are thousands of levels deep",
            tables: [(Kind.depth, 6), (Kind.trees, 2), (Kind.loops, 1)], length: 12),
        ProgramClass(
            name: "traps", summary: "everything, with misuse among it that must end in a clear trap",
            tables: everything + [(Kind.misuse, 1)], allowsTraps: true),
        ProgramClass(
            name: "liars", summary: "conformances of the program's own that answer differently each time",
            tables: [(Kind.liars, 12)] + everything, allowsTraps: true),
        ProgramClass(
            name: "forks", summary: "everything on one thread, and children that fork off in the middle of it",
            tables: everyEvent + everyRequest + [
                (Kind.forks, 2), (Kind.messages, 5), (Kind.queues, 2), (Kind.operations, 2), (Kind.hooks, 3),
                (Kind.nesting, 1),
            ], isStrict: true),
        ProgramClass(
            name: "extras", summary: "lines, ticks and queued writes, with handlers that do anything",
            tables: [
                (Kind.extras, 10), (Kind.queues, 2), (Kind.descriptors, 3), (Kind.endings, 2), (Kind.loops, 6),
                (Kind.hooks, 2), (Kind.nesting, 2), (Kind.trees, 1), (Kind.frees, 1),
            ]),
        ProgramClass(
            name: "tasks", summary: "tasks that wait for requests, time and each other, and what ends their waits",
            tables: [
                (Kind.tasks, 8), (Kind.awaited, 8), (Kind.waits, 1), (Kind.loops, 6), (Kind.trees, 2),
                (Kind.contexts, 1), ([.named("allow-nesting")], 1),
            ]),
    ]

    private static let everyEvent: [(kinds: [Kind], weight: Int)] = [
        (Kind.timers, 6), (Kind.signals, 3), (Kind.descriptors, 6), (Kind.loops, 5), (Kind.contexts, 1),
        (Kind.frees, 3),
    ]

    private static let everyRequest: [(kinds: [Kind], weight: Int)] = [
        (Kind.requests, 8), (Kind.endings, 5), (Kind.timers, 1), (Kind.frees, 1),
    ]

    private static let everything: [(kinds: [Kind], weight: Int)] =
        everyEvent + everyRequest + [
            (Kind.trees, 3), (Kind.values, 2), (Kind.hooks, 3), (Kind.nesting, 1), (Kind.operations, 3),
            (Kind.queues, 3),
            (Kind.messages, 2),
        ]
}
