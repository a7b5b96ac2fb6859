import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// A loop inside a handler: refused, then allowed.
@main
struct NestedLoop: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "nested-loop",
        abstract: "Run a loop inside a handler of the same context: refused at first, then allowed.",
        discussion: """
            Two immediates are scheduled. The handler of the first calls loopOnce. The program does this twice; before \
            the second time it allows nesting and sets a hook that reports how deep the loops are.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let events = try loop.makeContext()
        defer { events.free() }

        let refused = try runTwoImmediates(on: events)
        print("Refused:\n\(refused)\n")

        let allowed = EventLog()
        // snippet: allow
        events.allowNesting()
        events.setNestingHook { _, level, begins in
            allowed.add("hook", "a loop at level \(level) \(begins ? "begins" : "ends")")
            return true
        }
        // snippet-end: allow
        try runTwoImmediates(on: events, into: allowed)
        print("Allowed:\n\(allowed)")
    }

    @discardableResult
    private func runTwoImmediates(on events: EventContext, into log: EventLog = EventLog()) throws -> EventLog {
        // snippet: nested
        try ImmediateEvent(under: events).schedule(on: events) { _, events in
            log.add("first", "begins")
            do {
                log.add("first", "its loopOnce: \(try events.loopOnce())")
            } catch {
                log.add("first", "\(error)")
            }
            log.add("first", "ends")
        }
        try ImmediateEvent(under: events).schedule(on: events) { _, _ in log.add("second", "runs") }
        try events.loopWait()
        // snippet-end: nested
        return log
    }
}
