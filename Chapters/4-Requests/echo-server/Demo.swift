import Chapter4Requests
import Talloc
import Tevent

/// A server and two clients in one loop, and the server's memory at each step.
struct Demo {
    let program: TallocContext
    let events: EventContext

    // snippet: demo
    func run() throws {
        let server = try EchoServer.send(at: .loopback(port: 0), on: events, under: program)
        show("A server waits", server)

        let anna = try connect(to: server)
        let ben = try connect(to: server)
        try events.loop { server.tally.present == 2 }
        show("Two clients are connected", server)

        print("Anna hears \(try say("hello", on: anna))")
        try SystemIO.shutdownWriting(anna)
        try events.loop { server.tally.present == 1 }
        show("Anna has no more to say", server)

        print("Ben hears \(try say("still there?", on: ben))")
        server.stop()
        show("The server is stopped, and Ben was cut off", server)

        let tally = try server.receive()
        print("Accepted \(tally.accepted), gone \(tally.gone); \(tally.echoed) bytes went back.")
        for socket in [anna, ben] { SystemIO.close(socket) }
    }
    // snippet-end: demo

    private func show(_ title: String, _ server: Request<EchoServer>) {
        print("\(title):\n\(server.report().drawing(.names))\n")
    }

    /// Connects while the same loop serves whatever else is ready.
    private func connect(to server: Request<EchoServer>) throws -> Int32 {
        let connect = try Connect.send(to: server.address, on: events, under: program)
        try connect.poll(on: events)
        return try connect.receive()
    }

    /// Sends a text and reads the answer; so few bytes arrive in one piece.
    private func say(_ text: String, on socket: Int32) throws -> String {
        let write = try WriteAll.send(Array(text.utf8), to: socket, on: events, under: program)
        try write.poll(on: events)
        try write.receive()
        let read = try Read.send(from: socket, on: events, under: program)
        try read.poll(on: events)
        return String(decoding: try read.receive() ?? [], as: UTF8.self)
    }
}
