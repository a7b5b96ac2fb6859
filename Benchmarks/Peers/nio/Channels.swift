import CBench
import NIOCore
import NIOPosix

/// Does something for each piece of data that a channel reads.
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

let hop = Workload(name: "hop") { loop in
    let countdown = Countdown(from: HOPS, on: loop)
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

let pipesFew = Workload(name: "pipes-100") { runPipes(Int(BUSY_PIPES), on: $0) }
let pipesMany = Workload(name: "pipes-5000") { runPipes(Int(MANY_PIPES), on: $0) }

/// Writes to all the busy pipes, and does it again when everything has been read.
private final class Rounds {
    private let busy: [Int32]
    private let loop: any EventLoop
    private let countdown: Countdown
    private var left = 0

    init(busy: [Int32], on loop: any EventLoop) {
        self.busy = busy
        self.loop = loop
        countdown = Countdown(from: Int(PIPE_ROUNDS) * busy.count, on: loop)
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

private func runPipes(_ count: Int, on loop: any EventLoop) -> EventLoopFuture<Double> {
    let pipes = (0..<count).map { _ in
        var ends: [Int32] = [0, 0]
        bench_pipe(&ends)
        return ends
    }
    let rounds = Rounds(busy: (0..<Int(BUSY_PIPES)).map { pipes[$0 * (count / Int(BUSY_PIPES))][1] }, on: loop)
    let channels = pipes.map { ends in channel(input: ends[0], output: nil, on: loop) { _, _ in rounds.byte() } }
    return EventLoopFuture.whenAllSucceed(channels, on: loop).flatMap { _ in rounds.start() }
}
