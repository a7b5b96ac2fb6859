import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// Events freed by their own handlers: what is freed, and when.
@main
struct FreeInHandler: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "free-in-handler",
        abstract: "Free events in their own handlers, and see what must not be touched afterwards.",
        discussion: """
            A handler may free its own event, and even the whole context. What it may not do is use the event \
            afterwards. With --wrong the program does, and is ended with a message that says so.
            """)

    @Flag(help: "Use an event after freeing it; the program ends with a trap.")
    var wrong = false

    @OptionGroup var loop: LoopOptions

    func run() throws {
        if wrong { try useAfterFree() } else { try freeInTime() }
    }

    // snippet: wrong
    private func useAfterFree() throws {
        let events = try loop.makeContext()
        let pipe = try SystemIO.pipe()
        SystemIO.close(pipe.writer)
        try events.addFD(pipe.reader, .read) { event, _ in
            event.free()
            event.flags = []
        }
        try events.loopWait()
    }
    // snippet-end: wrong

    // snippet: right
    private func freeInTime() throws {
        let log = EventLog()
        let events = try loop.makeContext()

        // A timer's handler need not free it: the loop does, unless the timer was updated.
        let timer = try events.addTimer(after: .zero) { timer, _ in
            log.add("timer", "is freed in its handler? \(timer.isFreed)")
        }
        try events.loopOnce()
        log.add("timer", "is freed after its handler? \(timer.isFreed)")

        // A descriptor event stays until the program frees it; copy what you need later first.
        let pipe = try SystemIO.pipe()
        SystemIO.close(pipe.writer)
        let watched = try events.addFD(pipe.reader, .read) { event, _ in
            let descriptor = event.descriptor
            event.free()
            log.add("descriptor", "is freed in its handler? \(event.isFreed)")
            SystemIO.close(descriptor)
        }
        try events.loopOnce()
        log.add("descriptor", "is freed after its handler? \(watched.isFreed)")

        // A handler may even free the context; the loop that runs the handler notices.
        try events.addTimer(after: .zero) { _, _ in events.free() }
        log.add("loopWait", "\(try events.loopWait())")
        print(log)
    }
    // snippet-end: right
}
