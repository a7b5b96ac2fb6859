import ArgumentParser
import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import Tevent

/// A server that sends back what it receives.
@main
struct EchoServerProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Give every client back what it sends.",
        discussion: """
            Serves until Ctrl-C, or SIGTERM, then closes all connections and says what it has done. With --demo the \
            program is its own client instead, and shows what the server's memory looks like meanwhile.
            """)

    @Option(help: "The address to listen on: a number or a name.")
    var host = "127.0.0.1"

    @Option(parsing: .unconditional, help: "The port to listen on; with 0 the system chooses one.")
    var port: UInt16 = 7007

    @Option(parsing: .unconditional, help: "How many clients to serve before it ends; by default it goes on.")
    var clients: Int?

    @Flag(name: .shortAndLong, help: "Print a line for each client that comes or goes.")
    var verbose = false

    @Flag(help: "Print the server's memory each time a client has left, and at the end.")
    var report = false

    @Flag(help: "Also act as the clients, show what happens, and end.")
    var demo = false

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        if let clients, clients < 1 { throw ValidationError("--clients must be at least 1, not \(clients).") }
    }

    func run() throws {
        SystemIO.printLineByLine()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        if demo { return try Demo(program: program, events: events).run() }

        let tally = try serve(on: events, under: program)
        if report { print("what is left:\n\(program.report().drawing(.names))") }
        print(
            "served \(counted(tally.accepted, "client")), \(tally.lost) lost, \(counted(tally.echoed, "byte")) echoed")
    }

    // snippet: serve
    /// Serves until enough clients have left, or a signal stops the server.
    private func serve(on events: EventContext, under program: TallocContext) throws -> EchoServer.Tally {
        let address = try SocketAddress.resolve(host: host, port: port)[0]
        let server = try listen(at: address, on: events, under: program)
        for signal in [Signal.interrupt, .terminate] {
            try events.addSignal(signal, under: server) { _, _ in server.stop() }
        }
        // If the reader of the log exits, the server loses log lines, not clients.
        try events.addSignal(.pipe, under: server) { _, _ in }
        print("listening on \(server.address)")

        try server.poll(on: events)
        defer { server.free() }
        return try server.receive()
    }
    // snippet-end: serve

    private func listen(
        at address: SocketAddress, on events: EventContext, under program: TallocContext
    ) throws -> Request<EchoServer> {
        do {
            return try EchoServer.send(at: address, clients: clients, on: events, under: program) { server, news in
                show(news, of: server)
            }
        } catch {
            throw CannotListen(address: address, reason: error)
        }
    }

    private func show(_ news: EchoServer.News, of server: Request<EchoServer>) {
        if verbose { print(news) }
        if report, case .left = news { print(server.report().drawing(.names)) }
    }
}

/// The server could not start.
struct CannotListen: Error, CustomStringConvertible {
    let address: SocketAddress
    let reason: TeventError

    var description: String { "cannot listen on \(address): \(reason)" }
}
