import CBench
import Chapter4Requests
import Tevent
import TeventRecording

extension Workload {
    static let echoFew = echo("echo-50", connections: 50)
    static let echoMany = echo("echo-500", connections: 500)
    static let echoProcessorTime = echo("echo-50-cpu", connections: 50, measuresProcessorTime: true)

    /// Fifty clients on the server's thread, which take few instructions, so that the server's can be counted.
    static let echoMessage = Workload("echo-message", ECHOES) { count in
        try echoMessages(count, on: EventContext())
    }

    static func echoMessages(_ count: Int, on events: EventContext) throws -> Double {
        let pairs = try (0..<50).map { _ in try SystemIO.socketPair() }
        for (_, server) in pairs { _ = try Echo.send(on: server, on: events, under: events) }
        return try nanoseconds(per: count) {
            for round in 0..<(count + pairs.count - 1) / pairs.count {
                let clients = pairs.prefix(count - round * pairs.count)
                for (client, _) in clients { bench_send_message(client) }
                // One turn reads a message and writes it, another delivers the end of the write and reads again.
                var turns = 2 * clients.count
                try events.loop {
                    turns -= 1
                    return turns < 0
                }
                for (client, _) in clients { bench_receive_message(client) }
            }
        }
    }

    // The server is the one of chapter 4; the clients print the figure, and end the process.
    static func echo(
        _ name: String, connections: Int32, measuresProcessorTime: Bool = false, isRecorded: Bool = false
    ) -> Workload {
        Workload(name, ECHOES) { count in
            let clients = bench_clients(
                connections: connections, measures_cpu: measuresProcessorTime, messages: count)
            let events = try EventContext()
            if isRecorded { _ = try EventRecorder(on: events, under: events) }
            let server = try EchoServer.send(at: .loopback(port: 0), on: events, under: events)
            bench_start_clients(Int32(server.address.port), clients)
            try events.loopWait()
            return .nan
        }
    }
}
