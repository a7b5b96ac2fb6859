import CBench
import Tevent

extension Workload {
    static let fdLife = Workload("fd-life", FD_LIVES) { count in
        let events = try EventContext()
        let (reader, _) = pipe(among: 1)
        return try nanoseconds(per: count) {
            for _ in 0..<count { try events.addFD(reader, .read) { _, _ in }.free() }
        }
    }

    static let hop = Workload("hop", HOPS) { count in
        let events = try EventContext()
        let countdown = Countdown(from: count)
        var ends: [Int32] = [0, 0]
        bench_socketpair(&ends)
        for end in ends {
            try events.addFD(end, .read) { _, _ in
                bench_read_byte(end)
                countdown.step()
                if countdown.isRunning { bench_write_byte(end) }
            }
        }
        return try nanoseconds(per: count) {
            bench_write_byte(ends[0])
            try countdown.run(events)
        }
    }

    static let pipesFew = Workload("pipes-100", PIPE_EVENTS) { try runPipes(100, events: $0) }
    static let pipesMany = Workload("pipes-5000", PIPE_EVENTS) { try runPipes(5000, events: $0) }
    static let pipesGrowing = Workload("pipes-growing", 100) { try runPipes($0, events: PIPE_EVENTS) }

    private static func runPipes(_ size: Int, events count: Int) throws -> Double {
        let events = try EventContext()
        let countdown = Countdown(from: 0)
        let pipes = (0..<size).map { _ in pipe(among: size) }
        for (reader, _) in pipes {
            try events.addFD(reader, .read) { _, _ in
                bench_read_byte(reader)
                countdown.step()
            }
        }
        let busy = stride(from: 0, to: size, by: max(size / BUSY_PIPES, 1)).map { pipes[$0].writer }
        func round() throws {
            for writer in busy { bench_write_byte(writer) }
            countdown.left = busy.count
            try countdown.run(events)
        }
        // The first round registers the descriptors.
        try round()
        return try nanoseconds(per: count) {
            for _ in 0..<(count / busy.count) { try round() }
        }
    }

    private static func pipe(among size: Int) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        bench_pipe_among(size, &ends)
        return (ends[0], ends[1])
    }
}
