import CBench
import Tevent

extension Workload {
    static let fdLife = Workload("fd-life") {
        let events = try EventContext()
        let (reader, _) = pipe()
        return try nanoseconds(per: LIVES) {
            for _ in 0..<LIVES { try events.addFD(reader, .read) { _, _ in }.free() }
        }
    }

    static let hop = Workload("hop") {
        let events = try EventContext()
        let countdown = Countdown(from: HOPS)
        var ends: [Int32] = [0, 0]
        bench_socketpair(&ends)
        for end in ends {
            try events.addFD(end, .read) { _, _ in
                bench_read_byte(end)
                countdown.step()
                if countdown.isRunning { bench_write_byte(end) }
            }
        }
        return try nanoseconds(per: HOPS) {
            bench_write_byte(ends[0])
            try countdown.run(events)
        }
    }

    static let pipesFew = Workload("pipes-100") { try runPipes(BUSY_PIPES) }
    static let pipesMany = Workload("pipes-5000") { try runPipes(MANY_PIPES) }

    private static func runPipes(_ count: Int) throws -> Double {
        let events = try EventContext()
        let countdown = Countdown(from: 0)
        let pipes = (0..<count).map { _ in pipe() }
        for (reader, _) in pipes {
            try events.addFD(reader, .read) { _, _ in
                bench_read_byte(reader)
                countdown.step()
            }
        }
        let busy = (0..<BUSY_PIPES).map { pipes[$0 * (count / BUSY_PIPES)].writer }
        func round() throws {
            for writer in busy { bench_write_byte(writer) }
            countdown.left = BUSY_PIPES
            try countdown.run(events)
        }
        // The first round registers the descriptors.
        try round()
        return try nanoseconds(per: PIPE_ROUNDS * BUSY_PIPES) {
            for _ in 0..<PIPE_ROUNDS { try round() }
        }
    }

    private static func pipe() -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        bench_pipe(&ends)
        return (ends[0], ends[1])
    }
}
