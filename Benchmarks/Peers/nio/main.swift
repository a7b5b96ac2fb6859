import CBench
import Glibc
import NIOCore
import NIOPosix

// SwiftNIO's part. Its loop has its own thread, so each workload runs there, and the main thread waits.

/// Work that is done once on a loop, and the resulting figure: nanoseconds per operation, or bytes.
struct Workload: Sendable {
    let name: String
    /// How many operations, unless the command line says otherwise.
    let count: Int
    let run: @Sendable (_ count: Int, _ loop: any EventLoop) -> EventLoopFuture<Double>
}

let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

let workloads = [
    immediateAgain, timerLife, timerInsert, timerCancel, timerWhole, timerDispatch, timerMemory, requestLife,
    requestNested,
    requestMemory, hop, pipesFew, pipesMany, pipesGrowing, message, reply, echoFew, echoMany,
    echoProcessorTime, awaitSuspended,
]

let arguments = CommandLine.arguments.dropFirst()
if arguments == ["list"] {
    for workload in workloads { print(workload.name) }
} else if let workload = workloads.first(where: { $0.name == arguments.first }),
    let count = arguments.count == 1 ? workload.count : Int(arguments[2]), count > 0, arguments.count <= 2
{
    bench_raise_descriptor_limit()
    let loop = group.next()
    print(try loop.flatSubmit { workload.run(count, loop) }.wait())
} else {
    exit(bench_usage(CommandLine.arguments[0]))
}
