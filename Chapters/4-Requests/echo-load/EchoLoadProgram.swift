import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Chapter4Requests
import Talloc
import Tevent

/// Many connections to an echo server, each of which checks every byte that comes back.
@main
struct EchoLoadProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "echo-load",
        abstract: "Send messages to an echo server over many connections, and check and time the answers.",
        discussion: """
            Each connection sends a message when the one before has come back. Ends with exit code 1 if an answer is \
            wrong or a connection is lost. Ctrl-C ends it early, with the summary so far. With --demo the program \
            starts a server of its own, and leaves out what differs from run to run.
            """)

    @Option(help: "Where the server is: a number or a name.")
    var host = "127.0.0.1"

    @Option(parsing: .unconditional, help: "The port it listens on.")
    var port: UInt16 = 7007

    @Option(parsing: .unconditional, help: "How many connections there are at the same time.")
    var connections = 10

    @Option(parsing: .unconditional, help: "How many messages each connection sends; without --seconds it is 1000.")
    var messages: Int?

    @Option(parsing: .unconditional, help: "For how many seconds to send messages.")
    var seconds: Seconds?

    @Option(parsing: .unconditional, help: "How many bytes a message has: a number, or two as in 1-4096.")
    var size = Sizes(64...64)

    @Option(parsing: .unconditional, help: "The seed of the random sizes and bytes.")
    var seed: UInt64 = 1

    @Option(parsing: .unconditional, help: "How many seconds to wait for an answer.")
    var timeout = Seconds(.seconds(10))

    @Flag(help: "Start a server in the same loop, and leave out what differs from run to run.")
    var demo = false

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...100_000).contains(connections) else {
            throw ValidationError("--connections must be from 1 to 100000, not \(connections).")
        }
        if let messages, messages < 1 { throw ValidationError("--messages must be at least 1, not \(messages).") }
        for (name, time) in [("seconds", seconds), ("timeout", timeout)] {
            guard let time, time.duration <= .zero else { continue }
            throw ValidationError("--\(name) must be more than 0 s, not \(time).")
        }
    }

    func run() throws {
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        var addresses = try SocketAddress.resolve(host: host, port: port)
        if demo { addresses = [try EchoServer.send(at: .loopback(port: 0), on: events, under: program).address] }

        let summary = try measure(addresses, on: events, under: program)
        if summary.connected == 0, let reason = summary.failures.keys.sorted().first {
            throw NotConnected(address: "\(addresses[0])", reason: reason)
        }
        print(summary.lines(timed: !demo).joined(separator: "\n"))
        if summary.failed > 0 { throw ExitCode.failure }
    }

    /// Runs the load until it is done, or until a signal ends it early.
    private func measure(
        _ addresses: [SocketAddress], on events: EventContext, under program: TallocContext
    ) throws -> LoadSummary {
        let plan = LoadPlan(
            connections: connections, messages: messages ?? (seconds == nil ? 1000 : nil),
            duration: seconds?.duration, sizes: size.range, seed: seed, patience: timeout.duration)
        let load = try EchoLoad.send(to: addresses, following: plan, on: events, under: program)
        defer { load.free() }
        for signal in [Signal.interrupt, .terminate] {
            try events.addSignal(signal, under: load) { _, _ in load.stop() }
        }
        let progress = ProgressLine()
        try progress.keepUpToDate(with: load, on: events)
        try load.poll(on: events)
        progress.clear()
        return try load.receive()
    }
}

/// No connection could be established.
struct NotConnected: Error, CustomStringConvertible {
    let address: String
    let reason: String

    var description: String { "no connection to \(address): \(reason)" }
}
