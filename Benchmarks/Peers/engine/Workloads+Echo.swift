import CBench
import Chapter4Requests
import Tevent

extension Workload {
    static let echoFew = echo("echo-50", bench_clients(connections: 50, measures_cpu: false))
    static let echoMany = echo("echo-500", bench_clients(connections: 500, measures_cpu: false))
    static let echoProcessorTime = echo("echo-50-cpu", bench_clients(connections: 50, measures_cpu: true))

    // The server is that of chapter 4; the clients print the figure, and end the process.
    private static func echo(_ name: String, _ clients: bench_clients) -> Workload {
        Workload(name) {
            let events = try EventContext()
            let server = try EchoServer.send(at: .loopback(port: 0), on: events, under: events)
            bench_start_clients(Int32(server.address.port), clients)
            try events.loopWait()
            return .nan
        }
    }
}
