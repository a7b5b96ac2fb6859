import ArgumentParser
import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import TeventTasks

/// A server that sends back what it receives, made of async functions.
@main
struct AsyncEcho: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "async-echo",
        abstract: "Give every client back what it sends, with an async function for each.",
        discussion: """
            Serves until Ctrl-C, or SIGTERM, then closes all connections and says what it has done. With --demo the \
            program is its own client instead, and shows what the server's memory looks like meanwhile.
            """)

    @Option(help: "The address to listen on: a number or a name.")
    var host = "127.0.0.1"

    @Option(parsing: .unconditional, help: "The port to listen on; with 0 the system chooses one.")
    var port: UInt16 = 7007

    @Flag(help: "Also act as the clients, show what happens, and end.")
    var demo = false

    @OptionGroup var loop: LoopOptions

    func run() throws {
        SystemIO.printLineByLine()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        if demo { return try Demo(program: program, events: events).run() }

        let clients = Clients()
        let server = try TallocContext(under: program, named: "server")
        let listener = try listen(under: server, on: events)
        print("listening on \(try SystemIO.localAddress(of: listener))")
        let serving = try events.task(under: server) { try await serve(listener, on: events, clients, under: server) }
        for signal in [Signal.interrupt, .terminate] {
            try events.addSignal(signal, under: server) { _, _ in serving.cancel() }
        }
        try events.run {
            do { try await serving.value } catch RequestError.cancelled {}
        }
        let echoed = counted(clients.echoed, "byte")
        print("served \(counted(clients.accepted, "client")); \(clients.gone) had left, with \(echoed) echoed")
    }

    private func listen(under server: TallocContext, on events: EventContext) throws -> Int32 {
        let address = try SocketAddress.resolve(host: host, port: port)[0]
        do {
            let listener = try SystemIO.listen(boundTo: address)
            try events.hold(listener, under: server).setAutoClose()
            return listener
        } catch { throw CannotListen(address: address, reason: error) }
    }
}

// snippet: echo
/// Gives one client back what it sends, until it has no more to say.
func echo(_ socket: Int32, on events: EventContext, under memory: TallocContext) async throws -> Int {
    var echoed = 0
    for try await bytes in events.bytes(from: socket, under: memory) {
        echoed += try await WriteAll.send(bytes, to: socket, on: events, under: memory).value
    }
    return echoed
}
// snippet-end: echo

// snippet: serve
/// Serves every client that connects, until the task is cancelled or the server's memory is freed.
func serve(_ listener: Int32, on events: EventContext, _ clients: Clients, under server: TallocContext) async throws {
    for try await (socket, _) in events.connections(to: listener, under: server) {
        clients.accepted += 1
        let client = try TallocContext(under: server, named: "client")
        try events.hold(socket, under: client).setAutoClose()
        let work = try events.task(under: client) { try await echo(socket, on: events, under: client) }
        work.setCallback { work in
            clients.gone += 1
            clients.echoed += (try? work.receive()) ?? 0
            client.free()
        }
    }
}
// snippet-end: serve

/// What the server has done so far.
final class Clients {
    var accepted = 0
    var gone = 0
    /// How many bytes went back to the clients that have gone.
    var echoed = 0
}

/// The server could not start.
struct CannotListen: Error, CustomStringConvertible {
    let address: SocketAddress
    let reason: any Error

    var description: String { "cannot listen on \(address): \(reason)" }
}
