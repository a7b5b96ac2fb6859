import CBench
import NIOCore
import NIOPosix

/// Sends back what arrives, as SwiftNIO's own example does.
private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@available(*, unavailable)
extension EchoHandler: Sendable {}

let echoFew = echo("echo-50", connections: 50)
let echoMany = echo("echo-500", connections: 500)
let echoProcessorTime = echo("echo-50-cpu", connections: 50, measuresProcessorTime: true)

// The clients print the figure, and end the process.
private func echo(_ name: String, connections: Int32, measuresProcessorTime: Bool = false) -> Workload {
    Workload(name: name, count: ECHOES) { count, loop in
        let clients = bench_clients(connections: connections, measures_cpu: measuresProcessorTime, messages: count)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: Int32(BENCH_BACKLOG))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
            .bind(host: "127.0.0.1", port: 0)
            .flatMap { server in
                bench_start_clients(Int32(server.localAddress!.port!), clients)
                return server.closeFuture.map { .nan }
            }
    }
}
