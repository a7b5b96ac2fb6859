import CBench
import Glibc
import Tevent

// This engine's part: every workload, written as the tutorial recommends.

/// Work that is done once, and the resulting figure: nanoseconds per operation, or bytes.
struct Workload: Sendable {
    let name: String
    /// How many operations, unless the command line says otherwise.
    let count: Int
    let run: @Sendable (_ count: Int) throws -> Double

    init(_ name: String, _ count: Int, _ run: @escaping @Sendable (_ count: Int) throws -> Double) {
        self.name = name
        self.count = count
        self.run = run
    }
}

/// Counts down to the end of the work; a loop runs until it reaches zero.
final class Countdown {
    var left: Int

    init(from left: Int) { self.left = left }

    var isRunning: Bool { left > 0 }
    func step() { left -= 1 }

    func run(_ events: EventContext) throws {
        try events.loop(until: { !isRunning })
    }
}

func nanoseconds(per count: Int, _ work: () throws -> Void) rethrows -> Double {
    let start = bench_now()
    try work()
    return Double(bench_now() - start) / Double(count)
}

func bytes(per count: Int, _ work: () throws -> Void) rethrows -> Double {
    let before = bench_bytes()
    try work()
    return Double(bench_bytes() - before) / Double(count)
}

let workloads: [Workload] = [
    .immediateAgain, .immediateLife, .timerLife, .timerInsert, .timerCancel, .timerWhole, .timerDispatch, .timerMemory,
    .requestLife,
    .requestNested, .requestPosted, .requestMemory, .queueShort, .queueLong, .queueGrowing, .fdLife, .hop, .pipesFew,
    .pipesMany, .pipesGrowing, .message, .reply, .signal, .echoFew, .echoMany,
    .echoProcessorTime, .echoMessage, .awaitCallback, .awaitSuspended, .awaitEnded, .awaitJob, .awaitTask,
    .awaitTaskRequest, .echoAsync, .awaitMemory, .requestRecorded, .echoMessageRecorded, .echoRecorded,
]

let arguments = CommandLine.arguments.dropFirst()
if arguments == ["list"] {
    for workload in workloads { print(workload.name) }
} else if let workload = workloads.first(where: { $0.name == arguments.first }),
    let count = arguments.count == 1 ? workload.count : Int(arguments[2]), count > 0, arguments.count <= 2
{
    bench_raise_descriptor_limit()
    print(try workload.run(count))
} else {
    exit(bench_usage(CommandLine.arguments[0]))
}
