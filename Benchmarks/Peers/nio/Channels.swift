import CBench
import NIOCore
import NIOPosix

/// Runs a closure for each piece of data that a channel reads.
private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let body: (ChannelHandlerContext, ByteBuffer) -> Void

    init(_ body: @escaping (ChannelHandlerContext, ByteBuffer) -> Void) { self.body = body }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { body(context, unwrapInboundIn(data)) }
}

@available(*, unavailable)
extension Reader: Sendable {}

private func channel(
    input: Int32, output: Int32?, on loop: any EventLoop, _ body: @escaping (ChannelHandlerContext, ByteBuffer) -> Void
) -> EventLoopFuture<any Channel> {
    let bootstrap = NIOPipeBootstrap(group: loop)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Reader(body))
            }
        }
    if let output { return bootstrap.takingOwnershipOfDescriptors(input: input, output: output) }
    return bootstrap.takingOwnershipOfDescriptor(input: input)
}

let hop = Workload(name: "hop", count: HOPS) { count, loop in
    let countdown = Countdown(from: count, on: loop)
    var ends: [Int32] = [0, 0]
    bench_socketpair(&ends)
    let sides = ends.map { end in
        channel(input: end, output: dup(end), on: loop) { context, data in
            for _ in 0..<data.readableBytes {
                countdown.step()
                if countdown.isRunning { context.writeAndFlush(NIOAny(data), promise: nil) }
            }
        }
    }
    return EventLoopFuture.whenAllSucceed(sides, on: loop).flatMap { channels in
        countdown.begin()
        channels[0].writeAndFlush(ByteBuffer(string: "x"), promise: nil)
        return countdown.figure
    }
}

let pipesFew = Workload(name: "pipes-100", count: PIPE_EVENTS) { runPipes(100, events: $0, on: $1) }
let pipesMany = Workload(name: "pipes-5000", count: PIPE_EVENTS) { runPipes(5000, events: $0, on: $1) }
let pipesGrowing = Workload(name: "pipes-growing", count: 100) { runPipes($0, events: PIPE_EVENTS, on: $1) }

/// Writes to all busy pipes, and again once everything has been read.
private final class Rounds {
    private let busy: [Int32]
    private let loop: any EventLoop
    private let countdown: Countdown
    private var left = 0

    init(busy: [Int32], events count: Int, on loop: any EventLoop) {
        self.busy = busy
        self.loop = loop
        countdown = Countdown(from: count, on: loop)
    }

    func start() -> EventLoopFuture<Double> {
        countdown.begin()
        next()
        return countdown.figure
    }

    private func next() {
        left = busy.count
        for writer in busy { bench_write_byte(writer) }
    }

    func byte() {
        countdown.step()
        left -= 1
        if left == 0, countdown.isRunning { next() }
    }
}

private func runPipes(_ size: Int, events count: Int, on loop: any EventLoop) -> EventLoopFuture<Double> {
    let pipes = (0..<size).map { _ in
        var ends: [Int32] = [0, 0]
        bench_pipe_among(size, &ends)
        return ends
    }
    let busy = stride(from: 0, to: size, by: max(size / BUSY_PIPES, 1)).map { pipes[$0][1] }
    let rounds = Rounds(busy: busy, events: count, on: loop)
    let channels = pipes.map { ends in channel(input: ends[0], output: nil, on: loop) { _, _ in rounds.byte() } }
    return EventLoopFuture.whenAllSucceed(channels, on: loop).flatMap { _ in rounds.start() }
}
