import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Tevent
import TeventExtras

/// Four seconds of work, done in three ways alongside a ticker and a pipe that want their turns.
@main
struct GiveWay: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "give-way",
        abstract: "Do long work in a loop without keeping the loop from everything else.",
        discussion: """
            Four seconds of work alongside a ticker that ticks every second, and a pipe with something to read. The \
            work is done in one handler, then in slices by an immediate that schedules itself, then in slices by a \
            timer. The clock is moved by hand, so the program takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        for way in Way.allCases {
            print("\(way.rawValue):")
            print(try log(of: way))
        }
    }

    private enum Way: String, CaseIterable {
        case oneHandler = "All the work in one handler"
        case immediate = "One slice, then an immediate for the next"
        case timer = "One slice, then a timer for the next"
    }

    /// Does the work in one way, and returns a log of what happened when.
    private func log(of way: Way) throws -> EventLog {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)

        // snippet: rivals
        try Ticker(on: events, every: .seconds(1), for: .seconds(4)) { _, tick in
            log.add("ticker", "tick \(tick.number)")
        }
        let pipe = try SystemIO.pipe()
        try LineReader(of: pipe.reader, on: events, closing: .close) { _, input in log.add("reader", "\(input)") }
        _ = try SystemIO.write(pipe.writer, "hello\n".utf8)
        SystemIO.close(pipe.writer)
        // snippet-end: rivals

        // snippet: work
        let job = Job(slices: 4) { slice in
            clock.advance(by: .seconds(1))
            log.add("work", "slice \(slice) is done")
        }
        switch way {
        case .oneHandler:
            try events.addTimer(after: .zero) { _, _ in
                while job.doSlice() {}
            }
        case .immediate:
            try ImmediateEvent(under: events).schedule(on: events, job.doSliceAndReschedule)
        case .timer:
            try events.addTimer(after: .zero) { timer, _ in
                if job.doSlice() { timer.update(after: .milliseconds(1)) }
            }
        }
        // snippet-end: work

        // snippet: loop
        while try events.loopWait() == .timedOut { clock.advance(by: .milliseconds(1)) }
        // snippet-end: loop
        return log
    }
}

// snippet: job
/// Work that can be done in slices.
final class Job {
    private let slices: Int
    private let work: (_ slice: Int) -> Void
    private var done = 0

    init(slices: Int, _ work: @escaping (_ slice: Int) -> Void) {
        self.slices = slices
        self.work = work
    }

    /// Does the next slice; returns false if it was the last.
    func doSlice() -> Bool {
        done += 1
        work(done)
        return done < slices
    }

    /// Does the next slice as the handler of an immediate, which schedules itself for the following one.
    func doSliceAndReschedule(_ immediate: ImmediateEvent, on events: EventContext) {
        if doSlice() { immediate.schedule(on: events, doSliceAndReschedule) }
    }
}
// snippet-end: job
