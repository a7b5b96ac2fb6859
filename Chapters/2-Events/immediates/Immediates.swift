import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// Immediates run before timers and descriptors; their own handlers schedule them again; they are cancelled.
@main
struct Immediates: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "immediates",
        abstract: "Schedule immediates, beside a timer and a descriptor that are ready as well.",
        discussion: """
            A descriptor and a timer are ready before anything is scheduled, and still come last. One immediate \
            schedules itself twice more, one is cancelled before its turn, one is scheduled twice. Each line is one \
            handler.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let log = EventLog()
        let events = try loop.makeContext()
        defer { events.free() }

        // snippet: rivals
        let pipe = try SystemIO.pipe()
        _ = try SystemIO.write(pipe.writer, [1])
        try events.addFD(pipe.reader, .read) { event, _ in
            log.add("descriptor", "readable all the time")
            event.free()
        }.setAutoClose()
        try events.addTimer(after: .zero) { _, _ in log.add("timer", "due all the time") }
        // snippet-end: rivals

        // snippet: schedule
        let first = try ImmediateEvent(under: events)
        let again = try ImmediateEvent(under: events)
        let cancelled = try ImmediateEvent(under: events)
        let twice = try ImmediateEvent(under: events)

        var runs = 0
        func runAgain(_ immediate: ImmediateEvent, on events: EventContext) {
            runs += 1
            log.add("again", "run \(runs) of 3")
            if runs < 3 { immediate.schedule(on: events, runAgain) }
        }

        twice.schedule(on: events) { _, _ in log.add("twice", "never runs: scheduled again below") }
        again.schedule(on: events, runAgain)
        first.schedule(on: events) { _, _ in
            log.add("first", "cancels its neighbour")
            cancelled.cancel()
        }
        cancelled.schedule(on: events) { _, _ in log.add("cancelled", "never runs") }
        twice.schedule(on: events) { _, _ in log.add("twice", "runs once, at its new place") }
        // snippet-end: schedule

        // snippet: loop
        try events.loopWait()
        print(log)
        print("Is 'first' still there? \(!first.isFreed). Is it scheduled? \(first.isScheduled).")
        // snippet-end: loop
        SystemIO.close(pipe.writer)
    }
}
