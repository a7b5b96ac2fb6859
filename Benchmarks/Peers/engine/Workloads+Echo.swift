import CBench
import Chapter4Requests
import Tevent

extension Workload {
    static let echoFew = echo("echo-50", connections: 50)
    static let echoMany = echo("echo-500", connections: 500)
    static let echoProcessorTime = echo("echo-50-cpu", connections: 50, measuresProcessorTime: true)

    // The server is the one of chapter 4; the clients print the figure, and end the process.
    private static func echo(
        _ name: String, connections: Int32, measuresProcessorTime: Bool = false
    ) -> Workload {
        Workload(name, ECHOES) { count in
            let clients = bench_clients(
                connections: connections, measures_cpu: measuresProcessorTime, messages: count)
            let events = try EventContext()
            let server = try EchoServer.send(at: .loopback(port: 0), on: events, under: events)
            bench_start_clients(Int32(server.address.port), clients)
            try events.loopWait()
            return .nan
        }
    }
}
