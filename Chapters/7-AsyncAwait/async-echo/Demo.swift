import Chapter4Requests
import Talloc
import TeventTasks

/// A server and two clients in one loop, and the server's memory at each step.
struct Demo {
    let program: TallocContext
    let events: EventContext
    let clients = Clients()

    // snippet: demo
    func run() throws {
        let server = try TallocContext(under: program, named: "server")
        let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
        try events.hold(listener, under: server).setAutoClose()
        _ = try events.task(under: server) { try await serve(listener, on: events, clients, under: server) }
        try show("A server waits", server, clients: 0)

        let address = try SystemIO.localAddress(of: listener)
        let anna = try connect(to: address)
        let ben = try connect(to: address)
        try show("Two clients are connected", server, clients: 2)

        print("Anna hears \(try say("hello", on: anna))")
        try SystemIO.shutdownWriting(anna)
        try show("Anna has no more to say", server, clients: 1)

        print("Ben hears \(try say("still there?", on: ben))")
        server.free()
        print("The server is freed. Ben hears \(try hear(ben))")
        print("Accepted \(clients.accepted), gone \(clients.gone); \(clients.echoed) bytes went back to Anna.")
        for socket in [anna, ben] { SystemIO.close(socket) }
    }

    /// Draws the server's memory once the server waits for the next client, and each client's task for what it says.
    private func show(_ title: String, _ server: TallocContext, clients count: Int) throws {
        // A task is a request, and what it waits for is another.
        try events.loop { requestsInProgress(below: server).count == 2 + 2 * count }
        print("\(title):\n\(server.report().drawing(.names))\n")
    }
    // snippet-end: demo

    private func connect(to address: SocketAddress) throws -> Int32 {
        try events.run { try await Connect.send(to: address, on: events, under: program).value }
    }

    private func say(_ text: String, on socket: Int32) throws -> String {
        try events.run { _ = try await WriteAll.send(Array(text.utf8), to: socket, on: events, under: program).value }
        return try hear(socket)
    }

    /// Reads an answer; so few bytes arrive in one piece.
    private func hear(_ socket: Int32) throws -> String {
        let bytes = try events.run { try await Read.send(from: socket, on: events, under: program).value }
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? "the end"
    }
}
