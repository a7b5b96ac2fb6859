import ArgumentParser
import Chapter1ContextAndLoops
import Chapter4Requests
import Chapter6Threads
import Talloc
import Tevent

/// An echo server on all processors.
@main
struct EchoCoresProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "echo-cores",
        abstract: "Give every client back what it sends, on several threads.",
        discussion: """
            Each thread has a loop, a server and a listening socket of its own; all listen on the same port. Serves \
            until Ctrl-C, or SIGTERM, then closes all connections and says what each thread has done. With --demo the \
            program is its own client instead, and leaves out what differs from run to run.
            """)

    @Option(help: "The address to listen on: a number or a name.")
    var host = "127.0.0.1"

    @Option(parsing: .unconditional, help: "The port to listen on; with 0 the system chooses one.")
    var port: UInt16 = 7007

    @Option(parsing: .unconditional, help: "How many threads serve; by default one for each processor.")
    var threads = Processors.available

    @Flag(help: "Also act as the clients, show what happens, and end.")
    var demo = false

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...1000).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1000, not \(threads).")
        }
    }

    func run() throws {
        SystemIO.printLineByLine()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        if demo { return try runDemo(on: events, under: program) }

        let tallies = try serve(on: events, under: program)
        for (index, tally) in tallies.enumerated() {
            print("thread \(index + 1) served \(summary(of: [tally]))")
        }
        print("served \(summary(of: tallies))")
    }

    // snippet: serve
    /// Serves until a signal stops the servers.
    private func serve(on events: EventContext, under program: TallocContext) throws -> [EchoServer.Tally] {
        let address = try SocketAddress.resolve(host: host, port: port)[0]
        let server = try listen(at: address, on: events, under: program)
        for signal in [Signal.interrupt, .terminate] {
            try events.addSignal(signal, under: server) { _, _ in server.stop() }
        }
        print("listening on \(server.address) with \(counted(threads, "thread"))")

        try server.poll(on: events)
        defer { server.free() }
        return try server.receive()
    }
    // snippet-end: serve

    private func listen(
        at address: SocketAddress, on events: EventContext, under program: TallocContext
    ) throws -> Request<EchoCores> {
        do {
            return try EchoCores.send(
                at: address, threads: threads, backend: loop.backend, on: events, under: program)
        } catch {
            throw CannotListen(address: address, reason: error)
        }
    }

    private func summary(of tallies: [EchoServer.Tally]) -> String {
        let clients = tallies.reduce(0) { $0 + $1.accepted }
        let lost = tallies.reduce(0) { $0 + $1.lost }
        let echoed = tallies.reduce(0) { $0 + $1.echoed }
        return "\(counted(clients, "client")), \(lost) lost, \(counted(echoed, "byte")) echoed"
    }

    // snippet: demo
    private func runDemo(on events: EventContext, under program: TallocContext) throws {
        let server = try listen(at: .loopback(port: 0), on: events, under: program)
        print("\(counted(threads, "thread")) listen on the same port")

        let plan = LoadPlan(connections: 10, messages: 100)
        let load = try EchoLoad.send(to: [server.address], following: plan, on: events, under: program)
        try load.poll(on: events)
        let summary = try load.receive()
        print("\(summary.messages) messages, \(summary.bytes) bytes came back as sent, \(summary.failed) failed")
        load.free()

        server.stop()
        try server.poll(on: events)
        let tallies = try server.receive()
        print("\(counted(tallies.count, "thread")) accepted \(tallies.reduce(0) { $0 + $1.accepted }) clients")
        server.free()
        print("left below the program: \(program.children.map(\.name).joined(separator: ", "))")
    }
    // snippet-end: demo
}

/// The server could not start.
struct CannotListen: Error, CustomStringConvertible {
    let address: SocketAddress
    let reason: any Error

    var description: String { "cannot listen on \(address): \(reason)" }
}
