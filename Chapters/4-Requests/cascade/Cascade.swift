import ArgumentParser
import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import Tevent

/// A request inside a request inside a request: down with send, up again with done.
@main
struct Cascade: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "cascade",
        abstract: "Nest three requests, and see which function calls which, and how long each request lives.",
        discussion: """
            Prints the functions in the order in which they were called, the life of each request, and the result. \
            With --svg it prints the same run as a picture.
            """)

    @OptionGroup var loop: LoopOptions

    @Flag(help: "Let a wakeup request set the cascade off, not a timer.")
    var wakeup = false

    @Flag(help: "Print a picture of the run, in SVG, instead.")
    var svg = false

    func run() throws {
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let clock = ManualClock()
        let trace = CallTrace(clock: clock)
        let events = try loop.makeContext(under: program, clock: clock)
        let work = Work(events: events, trace: trace, usesWakeup: wakeup)
        var result = "nothing"

        // snippet: run
        func run() throws {
            trace.enter("run", from: "main")
            defer { trace.leave() }
            let foo = try Foo.send(work, under: program)
            foo.setCallback(runDone)
        }

        func runDone(_ foo: Request<Foo>) {
            trace.enter("run done")
            defer { trace.leave() }
            do { result = try foo.receive() } catch { result = "\(error)" }
            foo.free()
        }

        try run()
        while try work.events.loopWait() == .timedOut { clock.advance(by: .milliseconds(1)) }
        // snippet-end: run

        if svg { return print(CascadePicture(of: trace).svg) }
        print(trace.callTable)
        print("")
        print(trace.lifeTable)
        print("\nThe result: \(result)")
    }
}

/// What all three requests need.
struct Work {
    let events: EventContext
    let trace: CallTrace
    let usesWakeup: Bool
}
