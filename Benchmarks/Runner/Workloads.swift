/// A row of the table.
struct Workload {
    /// The name that the peers know.
    let name: String
    let title: String
    var unit = "ns"
    /// Whether the figure is a rate, where higher is better; for all others, lower is.
    var isRate = false
    /// Whether all peers run on one processor, one after another.
    var onOneProcessor = false
    /// The engine's targets: at most this many times the figure of another peer, or at least that many if it is a rate.
    var bars: [Bar] = []
    /// What is not quite equal in the comparison.
    var note: String?
    /// What is counted, and for how many operations.
    var counting = Counting.all
    var counted = 2000

    enum Counting {
        case all
        /// Without counts that depend on which thread sleeps when: how often threads wake each other, and what that
        /// takes.
        case allocations
        /// For the server, not for its clients.
        case systemCalls
        case nothing
    }

    struct Bar {
        let times: Double
        let peer: String
    }

    /// The program and arguments that run a peer's program.
    var wrapper: [String] { onOneProcessor ? ["taskset", "-c", "0"] : [] }

    /// The rows of the chart in the README: one of each kind of work.
    static let summary = ["timer-whole", "request-life", "queue-16", "message", "pipes-5000", "echo-50-cpu"]

    static let all: [Workload] = [
        Workload(
            name: "immediate-again", title: "immediate, rescheduled by itself",
            bars: [.init(times: 0.5, peer: "libtevent")],
            note: "libevent: an event made active by hand; libev: a watcher that is fed an event; SwiftNIO: `execute`"),
        Workload(
            name: "immediate-life", title: "immediate, created, run, freed",
            bars: [.init(times: 0.6, peer: "libtevent")]),
        Workload(
            name: "timer-life", title: "timer added and cancelled", bars: [.init(times: 1, peer: "libtevent")],
            note:
                "libuv, libevent and libev start and stop one timer that lies in the program's own memory; the others allocate"
        ),
        Workload(
            name: "timer-insert", title: "20,000 random timers, per insert",
            note: "libuv, libevent, libev: timers lie in memory that was used before; the others allocate"
        ),
        Workload(
            name: "timer-whole", title: "20,000 random timers, allocated, added and freed, per timer",
            bars: [.init(times: 1, peer: "libevent")],
            note: "libuv: closed, and freed by the loop's next turn; SwiftNIO: scheduled and cancelled"),
        Workload(
            name: "timer-cancel", title: "20,000 random timers, per cancel", bars: [.init(times: 1, peer: "libuv")]),
        Workload(
            name: "timer-dispatch", title: "20,000 due timers, per dispatch",
            bars: [.init(times: 1, peer: "libtevent")],
            note: "where times are set from now, the timers are due within 200 ms, which the program sleeps through"),
        Workload(
            name: "request-life", title: "request: create, callback, done, free",
            bars: [.init(times: 0.55, peer: "libtevent")], note: "SwiftNIO: a promise; floor: `malloc` and `free`"),
        Workload(
            name: "request-nested", title: "ten nested requests, whole chain",
            bars: [.init(times: 0.55, peer: "libtevent")], note: "SwiftNIO: a promise and nine `map`s"),
        Workload(
            name: "request-posted", title: "request posted and delivered by the loop",
            bars: [.init(times: 0.6, peer: "libtevent")]),
        Workload(
            name: "queue-16", title: "queue entry, at most 16 waiting", bars: [.init(times: 0.6, peer: "libtevent")],
            note: "the request that waits included", counted: 1600),
        Workload(
            name: "queue-100000", title: "queue entry, 100,000 waiting", bars: [.init(times: 0.6, peer: "libtevent")],
            note: "the request that waits included", counted: 100_000),
        Workload(
            name: "fd-life", title: "fd watched and unwatched", bars: [.init(times: 0.06, peer: "libtevent")],
            note: "without a wait in between"),
        Workload(
            name: "hop", title: "byte to and fro over a socketpair, per hop", bars: [.init(times: 1.06, peer: "floor")],
            note: "SwiftNIO: two channels; the others read and write by hand"),
        Workload(
            name: "pipes-100", title: "100 pipes, 100 busy, per event", bars: [.init(times: 1.05, peer: "floor")],
            note: "the write into the pipe included"),
        Workload(
            name: "pipes-5000", title: "5,000 pipes, 100 busy, per event", bars: [.init(times: 1.05, peer: "floor")],
            note: "the write into the pipe included"),
        Workload(
            name: "message", title: "message to another thread, one way",
            bars: [.init(times: 0.15, peer: "libtevent"), .init(times: 1, peer: "libuv")],
            note: "libuv, libevent, libev, floor: a list under a lock, and the library's way to wake a loop",
            counting: .allocations),
        Workload(
            name: "reply", title: "request and reply between threads, one processor", onOneProcessor: true,
            bars: [.init(times: 1.1, peer: "floor")], counting: .allocations),
        Workload(name: "signal", title: "signal, raised until handled", bars: [.init(times: 1.1, peer: "floor")]),
        Workload(
            name: "echo-50", title: "TCP echo, 50 connections", unit: "thousand messages/s", isRate: true,
            bars: [.init(times: 0.97, peer: "libuv"), .init(times: 2, peer: "libtevent")],
            note: "messages of 64 bytes; libtevent: chapter 4's listing in C, whose write waits for room first",
            counting: .systemCalls, counted: 10_000),
        Workload(
            name: "echo-500", title: "TCP echo, 500 connections", unit: "thousand messages/s", isRate: true,
            bars: [.init(times: 0.97, peer: "libuv")], counting: .nothing),
        Workload(
            name: "echo-50-cpu", title: "TCP echo, 50 connections, processor time per message",
            bars: [.init(times: 0.4, peer: "libtevent"), .init(times: 1.08, peer: "floor")], counting: .nothing),
        Workload(
            name: "echo-message", title: "echo of a message, 50 clients on the same thread",
            note: "the clients' instructions and two system calls included"),
        Workload(name: "await-callback", title: "request ended by an immediate, with a callback"),
        Workload(
            name: "await-suspended", title: "the same, awaited by a task", bars: [.init(times: 1.0 / 15, peer: "nio")],
            note: "compare with the callback above; nio: a promise kept on the next tick, and its `get()`"),
        Workload(name: "await-ended", title: "request that has ended already, awaited"),
        Workload(name: "await-job", title: "job of a task, enqueued and run", note: "`Task.yield()`"),
        Workload(name: "await-task", title: "task begun in a group on the loop, and ended"),
        Workload(name: "await-task-request", title: "async function as a request, begun and awaited"),
        Workload(
            name: "echo-50-async", title: "TCP echo, 50 connections, in async functions", unit: "thousand messages/s",
            isRate: true, note: "compare with the echo of requests above", counting: .nothing),
        Workload(name: "await-memory", title: "memory per task that waits in a group", unit: "bytes"),
        Workload(
            name: "request-recorded", title: "request's life while recorded",
            note: "five records: compare with the request's life above"),
        Workload(
            name: "echo-message-recorded", title: "echo of a message while recorded",
            note: "compare with the echo of a message above"),
        Workload(
            name: "echo-50-recorded", title: "TCP echo, 50 connections, while recorded", unit: "thousand messages/s",
            isRate: true, counting: .nothing),
        Workload(
            name: "timer-memory", title: "memory per idle timer", unit: "bytes",
            bars: [.init(times: 1, peer: "libtevent")],
            note: "libuv, libev: the size of the timer, and of its place in the heap"),
        Workload(
            name: "request-memory", title: "memory per pending request", unit: "bytes",
            bars: [.init(times: 0.5, peer: "libtevent")]),
    ]
}

/// A library that does the work, in the order of the table's columns.
struct Peer {
    let name: String
    let title: String
    var program: String { "peer-\(name)" }

    static let engine = Peer(name: "engine", title: "this engine")
    static let libtevent = Peer(name: "libtevent", title: "libtevent")

    static let all: [Peer] = [
        engine,
        libtevent,
        Peer(name: "libuv", title: "libuv"),
        Peer(name: "libevent", title: "libevent"),
        Peer(name: "libev", title: "libev"),
        Peer(name: "nio", title: "SwiftNIO"),
        Peer(name: "floor", title: "floor"),
    ]
}
